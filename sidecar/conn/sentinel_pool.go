package conn

import (
	"context"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube"
	"github.com/kvrocks/kvrocks-operator/sidecar/kvrocks"
)

// SentinelPool holds one connection and one subscription per sentinel pod.
type SentinelPool struct {
	SentinelPoolConfig

	ctx   context.Context // ends all subscriptions
	mu    sync.Mutex
	conns map[types.NamespacedName]pooled // by pod
}

// SentinelPoolConfig is how a pool connects, and what it calls when an event arrives.
type SentinelPoolConfig struct {
	Network Network
	Options func(kvrocks.Secret) kvrocks.Options
	// Wake starts a pass of the instance that has the master name.
	Wake func(instance types.NamespacedName)
	// WakeUrgently is Wake for an instance whose master is down or is being replaced.
	WakeUrgently func(instance types.NamespacedName)
	// WakeAll starts a pass of every instance that the sentinel instance monitors.
	WakeAll func(sentinelInstance types.NamespacedName)
}

type pooled struct {
	conn *SharedSentinel
	uid  types.UID
}

// NewSentinelPool makes a pool whose subscriptions end with ctx.
func NewSentinelPool(ctx context.Context, c SentinelPoolConfig) *SentinelPool {
	return &SentinelPool{SentinelPoolConfig: c, ctx: ctx, conns: map[types.NamespacedName]pooled{}}
}

// Get returns the connection to a pod. A pod that was replaced, or that has another IP, gets a new one.
func (p *SentinelPool) Get(pod *corev1.Pod, facts kube.PodFacts, pw Passwords) *SharedSentinel {
	p.mu.Lock()
	defer p.mu.Unlock()
	key, addr := kube.KeyOf(pod), JoinHostPort(facts.IP, v1alpha1.SentinelPort)
	have, ok := p.conns[key]
	if ok && have.uid == pod.UID && have.conn.addr == addr {
		have.conn.mu.Lock()
		have.conn.passwords = pw
		have.conn.mu.Unlock()
		// While a new password is on its way, the subscription goes on with the one that the sentinel takes.
		if takes := have.conn.session.proved.Load(); takes != nil && *takes != have.conn.listening {
			p.listen(have.conn, pod, *takes)
		}
		return have.conn
	}
	if ok {
		go have.conn.close() // a call may be on its way
	}
	conn := newSharedSentinel(addr, func(secret kvrocks.Secret) Sentinel {
		return p.Network.Sentinel(addr, p.Options(secret))
	})
	conn.passwords = pw
	p.conns[key] = pooled{conn: conn, uid: pod.UID}
	p.listen(conn, pod, pw.Wanted)
	return conn
}

// listen starts the subscription, in place of the one that there was.
func (p *SentinelPool) listen(conn *SharedSentinel, pod *corev1.Pod, password kvrocks.Secret) {
	conn.stop()
	conn.listening = password
	ctx, stop := context.WithCancel(p.ctx)
	conn.stop = stop
	owner := kube.InstanceOf(pod)
	go p.Network.Listen(ctx, conn.addr, p.Options(password), func(e kvrocks.Event) {
		conn.noteEvent(e)
		p.route(owner, e)
	})
}

// route starts the passes that an event calls for.
func (p *SentinelPool) route(owner types.NamespacedName, e kvrocks.Event) {
	switch {
	case e.Name == kvrocks.EventSubscribed, e.Name == kvrocks.EventLost, e.Name == kvrocks.EventTilt, e.Name == kvrocks.EventTiltOver:
		p.WakeAll(owner)
	case e.Master == "" || e.Name == "+set": // the echo of our own settings
	default:
		name, _, _ := strings.Cut(e.Master, ".")
		instance := types.NamespacedName{Namespace: owner.Namespace, Name: name}
		if startsFailover(e) {
			p.WakeUrgently(instance)
		} else {
			p.Wake(instance)
		}
	}
}

// startsFailover reports whether an event says that a master is down or is being replaced.
func startsFailover(e kvrocks.Event) bool {
	switch e.Name {
	case kvrocks.EventSDown:
		return e.InstanceType == kvrocks.InstanceMaster
	case kvrocks.EventODown, kvrocks.EventTryFailover, kvrocks.EventPromotedReplica, kvrocks.EventSwitchMaster:
		return true
	}
	return false
}

// Forget closes the connection to a pod that is gone.
func (p *SentinelPool) Forget(pod types.NamespacedName, uid types.UID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if have, ok := p.conns[pod]; ok && have.uid == uid {
		delete(p.conns, pod)
		go have.conn.close()
	}
}

// Close ends everything.
func (p *SentinelPool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for key, have := range p.conns {
		have.conn.close()
		delete(p.conns, key)
	}
}
