package reconcile

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube/kubetest"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
)

// fakeSentinel monitors what is in masters.
type fakeSentinel struct {
	addr    string
	journal *journal

	mu       sync.Mutex
	masters  map[string]kvrocks.MonitoredMaster
	peers    []kvrocks.Peer
	replicas []kvrocks.MonitoredReplica
	// handle delivers events to the subscription.
	handle func(kvrocks.Event)
	listen int // how many subscriptions there were
	used   time.Duration
	// mute answers INFO with an error.
	mute   bool
	tilt   bool
	closed bool
}

func (s *fakeSentinel) call(format string, args ...any) {
	s.journal.add("%s %s", s.addr, fmt.Sprintf(format, args...))
}

func (s *fakeSentinel) Master(_ context.Context, name string) (kvrocks.MonitoredMaster, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.call("MASTER %s", name)
	m, ok := s.masters[name]
	if !ok {
		return m, &kvrocks.Error{Kind: kvrocks.ErrNoSuchMaster}
	}
	return m, nil
}

func (s *fakeSentinel) Masters(context.Context) ([]kvrocks.MonitoredMaster, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.call("MASTERS")
	var list []kvrocks.MonitoredMaster
	for _, m := range s.masters {
		list = append(list, m)
	}
	return list, nil
}

func (s *fakeSentinel) MyID(context.Context) (string, error) { return "id-of-" + s.addr, nil }

func (s *fakeSentinel) Stats(context.Context) (kvrocks.SentinelStats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mute {
		return kvrocks.SentinelStats{}, &kvrocks.Error{Op: "INFO", Text: "no such section"}
	}
	return kvrocks.SentinelStats{CPU: s.used, Tilt: s.tilt}, nil
}

func (s *fakeSentinel) Access(context.Context) (kvrocks.SentinelAccess, error) {
	return kvrocks.SentinelAccess{}, nil
}

func (s *fakeSentinel) AcceptPassword(_ context.Context, password kvrocks.Secret) error {
	s.call("accept %q", string(password))
	return nil
}

func (s *fakeSentinel) AcceptOnlyPassword(_ context.Context, password kvrocks.Secret) error {
	s.call("accept only %q", string(password))
	return nil
}

func (s *fakeSentinel) PresentPassword(_ context.Context, password kvrocks.Secret) error {
	s.call("present %q", string(password))
	return nil
}

// works lets the sentinel use processor time.
func (s *fakeSentinel) works(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used += d
}

func (s *fakeSentinel) Sentinels(context.Context, string) ([]kvrocks.Peer, error) {
	s.call("SENTINELS")
	return s.peers, nil
}

func (s *fakeSentinel) Replicas(context.Context, string) ([]kvrocks.MonitoredReplica, error) {
	s.call("REPLICAS")
	return s.replicas, nil
}

func (s *fakeSentinel) Monitor(_ context.Context, name, host string, port, quorum int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.call("MONITOR %s %s %d %d", name, host, port, quorum)
	s.masters[name] = kvrocks.MonitoredMaster{Name: name, Host: host, Port: port, Quorum: quorum}
	return nil
}

func (s *fakeSentinel) Remove(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.call("REMOVE %s", name)
	if _, ok := s.masters[name]; !ok {
		return &kvrocks.Error{Kind: kvrocks.ErrNoSuchMaster}
	}
	delete(s.masters, name)
	return nil
}

func (s *fakeSentinel) Set(_ context.Context, name string, o kvrocks.Settings) error {
	s.call("SET %s quorum %d down-after %v auth %q", name, o.Quorum, o.DownAfter, string(o.AuthPass))
	return nil
}

func (s *fakeSentinel) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	return nil
}

func (s *fakeSentinel) subscriptions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.listen
}

func (s *fakeSentinel) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// sentinels adds a sentinel instance and makes the named instances be monitored by it.
func (w *world) sentinelInstance(name string, replicas int, monitored ...types.NamespacedName) []*fakeSentinel {
	key := types.NamespacedName{Namespace: kubetest.Namespace, Name: name}
	w.cluster.topologies[key] = &v1alpha1.KVRocksTopology{
		ObjectMeta: metav1.ObjectMeta{Namespace: kubetest.Namespace, Name: name, UID: types.UID(name), ResourceVersion: "10"},
		Spec: v1alpha1.KVRocksTopologySpec{
			Type: v1alpha1.TypeSentinel, Port: v1alpha1.SentinelPort, Sentinels: int32(replicas),
		},
	}
	for _, m := range monitored {
		w.cluster.topologies[m].Spec.Sentinel = &v1alpha1.SentinelRef{Name: name}
	}
	byAddr := map[string]*fakeSentinel{}
	var list []*fakeSentinel
	for i := range replicas {
		pod := sentinelPod(name, i)
		w.addPod(pod)
		addr := conn.JoinHostPort(pod.Status.PodIP, v1alpha1.SentinelPort)
		byAddr[addr] = &fakeSentinel{addr: pod.Name, journal: w.journal, masters: map[string]kvrocks.MonitoredMaster{}}
		list = append(list, byAddr[addr])
	}
	w.dialSentinel = func(addr string, _ kvrocks.Options) conn.Sentinel { return byAddr[addr] }
	w.subscribe = func(ctx context.Context, addr string, _ kvrocks.Options, handle func(kvrocks.Event)) {
		s := byAddr[addr]
		s.mu.Lock()
		s.handle = handle
		s.listen++
		s.mu.Unlock()
		<-ctx.Done()
	}
	return list
}

func sentinelPod(instance string, ordinal int) *corev1.Pod {
	pod := kubetest.DataPod(instance, ordinal)
	pod.Labels[v1alpha1.LabelComponent] = v1alpha1.ComponentSentinel
	pod.Status.PodIP = fmt.Sprintf("10.1.0.%d", ordinal)
	pod.Status.ContainerStatuses[0].Name = v1alpha1.ContainerSentinel
	return pod
}
