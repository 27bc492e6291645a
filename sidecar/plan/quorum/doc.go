// Package quorum sums up what the sentinels say of a master, and what that proves. It is pure: it knows neither members nor
// pods, only addresses.
//
//	view.go       what the sentinels say of one master name: who is down, who is elected, how many could elect
//	agreement.go  whether they all watch the proved master, with the wanted settings, and know each other
package quorum
