module github.com/kvrocks/kvrocks-operator/local

go 1.26.0

replace github.com/kvrocks/kvrocks-operator => ../
