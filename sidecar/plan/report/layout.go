package report

import (
	"cmp"

	"github.com/kvrocks/kvrocks-operator/api/slots"
	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan/layout"
)

// Layout returns the layout that the last report holds; nil when it holds none or not all of it. A pod whose address has changed since
// keeps its place: addressOf returns the present address of a pod of a shard, or nothing.
func Layout(status *v1alpha1.KVRocksTopologyStatus, port int32, addressOf func(shard int32, pod string) string) *layout.Layout {
	if status.LayoutVersion == 0 {
		return nil
	}
	l := &layout.Layout{Version: status.LayoutVersion}
	for i := range status.Shards {
		last := &status.Shards[i]
		var s layout.Shard
		for _, text := range last.Slots {
			r, err := slots.ParseRange(string(text))
			if err != nil {
				return nil
			}
			s.Slots.Add(r)
		}
		masters := 0
		for _, n := range last.Nodes {
			if n.NodeID == "" {
				continue
			}
			address := cmp.Or(addressOf(last.Index, n.Pod), n.Address)
			master := n.Pod == last.Master
			if master {
				masters++
			}
			s.Nodes = append(s.Nodes, layout.Node{ID: n.NodeID, Address: address, Port: port, Master: master})
		}
		if len(s.Nodes) == 0 {
			continue
		}
		if masters != 1 {
			return nil
		}
		l.Shards = append(l.Shards, s)
	}
	if !l.Complete() {
		return nil
	}
	return l
}
