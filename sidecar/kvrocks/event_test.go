package kvrocks_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
)

func TestParseEvent(t *testing.T) {
	t.Parallel()
	master := kvrocks.Addr{Host: "10.96.0.1", Port: 6379}
	other := kvrocks.Addr{Host: "10.96.0.2", Port: 6379}
	for name, tc := range map[string]struct {
		channel, payload string
		want             kvrocks.Event
	}{
		"odown": {
			"+odown", "master orders 10.96.0.1 6379 #quorum 3/2",
			kvrocks.Event{
				InstanceType: "master", Instance: "orders", Addr: master,
				Master: "orders", MasterAddr: master, Detail: "#quorum 3/2",
			},
		},
		"sdown of a replica": {
			"+sdown", "slave 10.96.0.2:6379 10.96.0.2 6379 @ orders 10.96.0.1 6379",
			kvrocks.Event{
				InstanceType: "slave", Instance: "10.96.0.2:6379", Addr: other,
				Master: "orders", MasterAddr: master,
			},
		},
		"a new sentinel": {
			"+sentinel", "sentinel 9d1a 10.244.0.9 26379 @ orders.0 10.96.0.1 6379",
			kvrocks.Event{
				InstanceType: "sentinel", Instance: "9d1a", Addr: kvrocks.Addr{Host: "10.244.0.9", Port: 26379},
				Master: "orders.0", MasterAddr: master,
			},
		},
		"a duplicate sentinel": {
			"-dup-sentinel", "master orders 10.96.0.1 6379 #duplicate of 10.244.0.9:26379 or 9d1a",
			kvrocks.Event{
				InstanceType: "master", Instance: "orders", Addr: master, Master: "orders", MasterAddr: master,
				Detail: "#duplicate of 10.244.0.9:26379 or 9d1a",
			},
		},
		"switch": {
			"+switch-master", "orders 10.96.0.1 6379 10.96.0.2 6379",
			kvrocks.Event{
				InstanceType: "master", Instance: "orders", Addr: other,
				Master: "orders", MasterAddr: other, OldAddr: master,
			},
		},
		"IPv6": {
			"+switch-master", "orders fd00::1 6379 fd00::2 6380",
			kvrocks.Event{
				InstanceType: "master", Instance: "orders", Addr: kvrocks.Addr{Host: "fd00::2", Port: 6380},
				Master: "orders", MasterAddr: kvrocks.Addr{Host: "fd00::2", Port: 6380},
				OldAddr: kvrocks.Addr{Host: "fd00::1", Port: 6379},
			},
		},
		"a role that changed": {
			"+role-change", "slave 10.96.0.2:6379 10.96.0.2 6379 @ orders 10.96.0.1 6379 new reported role is master",
			kvrocks.Event{
				InstanceType: "slave", Instance: "10.96.0.2:6379", Addr: other, Master: "orders", MasterAddr: master,
				Detail: "new reported role is master",
			},
		},
		"an election":                {"+vote-for-leader", "9d1a 4", kvrocks.Event{}},
		"an epoch":                   {"+new-epoch", "4", kvrocks.Event{}},
		"tilt":                       {"+tilt", "#tilt mode entered", kvrocks.Event{}},
		"nothing":                    {"+odown", "", kvrocks.Event{}},
		"an instance of no type":     {"+odown", "witness orders 10.96.0.1 6379", kvrocks.Event{}},
		"an instance without a port": {"+odown", "master orders 10.96.0.1 x", kvrocks.Event{}},
		"half a switch":              {"+switch-master", "orders 10.96.0.1 6379", kvrocks.Event{}},
		"a switch to no port":        {"+switch-master", "orders 10.96.0.1 6379 10.96.0.2 0", kvrocks.Event{}},
		"a replica of half a master": {
			"+sdown", "slave 10.96.0.2:6379 10.96.0.2 6379 @ orders",
			kvrocks.Event{InstanceType: "slave", Instance: "10.96.0.2:6379", Addr: other, Detail: "@ orders"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.want.Name, tc.want.Raw = tc.channel, tc.payload
			assert.Equal(t, tc.want, kvrocks.ParseEvent(tc.channel, tc.payload))
		})
	}
}

func TestFailoverAborted(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"not-elected", "no-good-slave", "slave-timeout"} {
		assert.True(t, kvrocks.ParseEvent("-failover-abort-"+name, "master orders 10.96.0.1 6379").FailoverAborted())
	}
	assert.False(t, kvrocks.ParseEvent("+failover-end", "master orders 10.96.0.1 6379").FailoverAborted())
}

func TestAPasswordInASettingIsMasked(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"s3cr3t-word", "two words of s3cr3t-word"} {
		e := kvrocks.ParseEvent("+set", "master orders 10.96.0.1 6379 auth-pass "+value)
		assert.NotContains(t, e.Raw+e.Detail, "s3cr3t-word")
		assert.Equal(t, "auth-pass ***", e.Detail)
		assert.Equal(t, "orders", e.Master)
	}
	assert.Equal(t, "quorum 2", kvrocks.ParseEvent("+set", "master orders 10.96.0.1 6379 quorum 2").Detail)
}

func FuzzParseEvent(f *testing.F) {
	f.Add("+odown", "master orders 10.96.0.1 6379 #quorum 3/2")
	f.Add("+sdown", "slave 10.96.0.2:6379 10.96.0.2 6379 @ orders 10.96.0.1 6379")
	f.Add("+switch-master", "orders 10.96.0.1 6379 10.96.0.2 6379")
	f.Add("+set", "master orders 10.96.0.1 6379 auth-pass x")
	f.Fuzz(func(t *testing.T, channel, payload string) {
		e := kvrocks.ParseEvent(channel, payload)
		assert.Equal(t, channel, e.Name)
		if channel != "+set" {
			assert.Equal(t, payload, e.Raw)
		}
		if e.InstanceType == "" {
			assert.Equal(t, kvrocks.Event{Name: channel, Raw: e.Raw}, e, "all or nothing")
			return
		}
		assert.Positive(t, e.Addr.Port)
		for _, word := range []string{e.Instance, e.Addr.Host, e.Master, e.OldAddr.Host} {
			assert.True(t, strings.Contains(payload, word) && !strings.Contains(word, " "), "%q", word)
		}
		if e.InstanceType == kvrocks.InstanceMaster {
			assert.NotEmpty(t, e.Master)
		}
	})
}
