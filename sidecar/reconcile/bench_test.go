package reconcile

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
	"github.com/kvrocks/kvrocks-operator/sidecar/conn"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube"
	"github.com/kvrocks/kvrocks-operator/sidecar/kube/kubetest"
	"github.com/kvrocks/kvrocks-operator/sidecar/plan"
)

// fleetVariable makes the test binary the fleet of fake nodes, in a process of its own, so that the benchmark measures
// the sidecar alone.
const fleetVariable = "KVROCKS_TEST_FLEET"

func TestMain(m *testing.M) {
	if os.Getenv(fleetVariable) != "" {
		fleet()
		return
	}
	os.Exit(m.Run())
}

// fleet answers for every node on 127.1.0.0/16, on one port: node n of an instance i is 127.1.i.n and announces 10.1.i.n,
// and node 0 is the master. It prints its port, and a total of the commands for each line that it reads.
func fleet() {
	listener, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		panic(err)
	}
	var commands atomic.Int64
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go answer(c, &commands)
		}
	}()
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		fmt.Println(commands.Load())
	}
}

func answer(c net.Conn, commands *atomic.Int64) {
	defer func() { _ = c.Close() }()
	host := c.LocalAddr().(*net.TCPAddr).IP.String()
	port := c.LocalAddr().(*net.TCPAddr).Port
	announced := announcedBy(host)
	role := fmt.Sprintf("role:slave\r\nmaster_host:%s.0\r\nmaster_port:%d\r\nmaster_link_status:up\r\n"+
		"master_last_io_seconds_ago:0\r\nslave_repl_offset:7\r\n", announced[:strings.LastIndexByte(announced, '.')], port)
	if strings.HasSuffix(host, ".0") {
		role = "role:master\r\nmaster_repl_offset:7\r\n"
	}
	// As long as that of kvrocks.
	info := "kvrocks_version:2.10.1\r\nrun_id:" + host + "\r\nloading:0\r\n" + role + strings.Repeat("filler_field:12345678\r\n", 200)
	replies := map[string]string{
		"INFO":   bulk(info),
		"CONFIG": "*4\r\n" + bulk(settingAnnounceIP) + bulk(announced) + bulk(settingMasterAuth) + bulk(""),
	}
	clusterReplies := map[string]func(host string) string{
		"CLUSTER INFO":  func(string) string { return bulk("cluster_state:ok\r\ncluster_current_epoch:1\r\n") },
		"CLUSTER NODES": func(host string) string { return bulk(fleetNodes(host, port)) },
	}
	r := bufio.NewReader(c)
	for {
		words, err := readWords(r)
		if err != nil {
			return
		}
		commands.Add(1)
		reply, ok := replies[strings.ToUpper(words[0])]
		if answer, isCluster := clusterReplies[strings.ToUpper(strings.Join(words[:min(2, len(words))], " "))]; isCluster {
			reply, ok = answer(host), true
		}
		if !ok {
			reply = "-ERR unknown command\r\n"
		}
		if _, err := io.WriteString(c, reply); err != nil {
			return
		}
	}
}

// announcedBy is an address that is not of this host: a node that follows 127.x.x.x is one that has just booted.
func announcedBy(host string) string { return "10." + strings.TrimPrefix(host, "127.") }

func bulk(s string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(s), s) }

// readWords returns one command.
func readWords(r *bufio.Reader) ([]string, error) {
	count, err := readNumber(r)
	if err != nil {
		return nil, err
	}
	words := make([]string, count)
	for i := range words {
		size, err := readNumber(r)
		if err != nil {
			return nil, err
		}
		word := make([]byte, size+2)
		if _, err := io.ReadFull(r, word); err != nil {
			return nil, err
		}
		words[i] = string(word[:size])
	}
	return words, nil
}

func readNumber(r *bufio.Reader) (int, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(line[1:]))
}

// startFleet runs the fleet, whose clusters have so many shards, and returns its port and a function that reads its total of
// commands.
func startFleet(b *testing.B, shards int) (port int32, commands func() int) {
	cmd := exec.CommandContext(b.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", fleetVariable, shards))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	require.NoError(b, err)
	out, err := cmd.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, cmd.Start())
	b.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	number := func() int {
		require.True(b, lines.Scan())
		n, err := strconv.Atoi(lines.Text())
		require.NoError(b, err)
		return n
	}
	return int32(number()), func() int {
		_, err := fmt.Fprintln(in)
		require.NoError(b, err)
		return number()
	}
}

// BenchmarkIdleFleet watches 200 settled instances of 3 nodes for two periods and reports what the sidecar needs. One
// iteration is enough whatever -benchtime says.
func BenchmarkIdleFleet(b *testing.B) {
	const instances, replicas, period = 200, 3, 10 * time.Second
	port, commands := startFleet(b, 1)
	c := &fakeCluster{topologies: map[types.NamespacedName]*v1alpha1.KVRocksTopology{}}
	for i := range instances {
		addInstance(c, i, replicas, port)
	}
	measureIdle(b, c, commands, instances*replicas, period)
}

// benchReconciler works on real connections and decides with the real planner.
func benchReconciler(c *fakeCluster) *Reconciler {
	return &Reconciler{
		log: slog.New(slog.DiscardHandler), options: DefaultOptions(), planner: thePlanner(), kubernetes: indexed(c),
		network: conn.RedisNetwork(), secrets: fake.NewClientset().CoreV1(), status: noStatus{c}, podWriter: kube.NewPodWriter(nil, time.Now),
		metrics: newMetrics(prometheus.NewRegistry()), running: newRunning(), now: time.Now, events: noEvents{},
	}
}

// noEvents tells nobody.
type noEvents struct{}

func (noEvents) Emit(*v1alpha1.KVRocksTopology, plan.Event) {}

// measureIdle works for four periods and reports what the sidecar needs in the last two.
func measureIdle(b *testing.B, c *fakeCluster, commands func() int, nodes int, period time.Duration) {
	for b.Loop() {
		before := memory()
		r := benchReconciler(c)
		withRecords(r, c)
		q := newQueue()
		r.enqueue = q.Add
		ctx, stop := context.WithCancel(b.Context())
		r.begin(ctx)
		for key := range c.topologies {
			q.Add(key)
		}
		ended := make(chan struct{})
		go func() { r.work(ctx, q); close(ended) }()
		time.Sleep(2 * period) // until all have settled
		sent, cpu, start := commands(), cpuTime(), time.Now()
		time.Sleep(2 * period)
		minutes := time.Since(start).Minutes()
		b.ReportMetric(float64(commands()-sent)/float64(nodes)/minutes, "commands/node/min")
		b.ReportMetric(100*(cpuTime()-cpu).Seconds()/time.Since(start).Seconds(), "%CPU")
		b.ReportMetric(float64(memory()-before)/float64(nodes)/1024, "KiB/node")
		b.ReportMetric(float64(runtime.NumGoroutine())/float64(nodes), "goroutines/node")
		stop()
		<-ended
		r.close()
	}
}

func addInstance(c *fakeCluster, i, replicas int, port int32) {
	name := fmt.Sprintf("bench%d", i)
	key := types.NamespacedName{Namespace: kubetest.Namespace, Name: name}
	t := &v1alpha1.KVRocksTopology{
		ObjectMeta: metav1.ObjectMeta{Namespace: kubetest.Namespace, Name: name, UID: types.UID(name), ResourceVersion: "1", Generation: 1},
		Spec: v1alpha1.KVRocksTopologySpec{
			Type: v1alpha1.TypeStandard, Port: port,
			Shards: []v1alpha1.TopologyShard{{MasterName: name, Replicas: int32(replicas)}},
		},
		Status: v1alpha1.KVRocksTopologyStatus{Shards: []v1alpha1.TopologyShardStatus{{Master: name + "-0"}}},
	}
	for n := range replicas {
		pod := kubetest.DataPod(name, n)
		pod.Status.PodIP = fmt.Sprintf("127.1.%d.%d", i, n)
		pod.Status.Conditions = []corev1.PodCondition{{Type: v1alpha1.AttachedGate, Status: corev1.ConditionTrue}}
		pod.Labels[v1alpha1.LabelRole] = string(v1alpha1.RoleReplica)
		if n == 0 {
			pod.Labels[v1alpha1.LabelRole] = string(v1alpha1.RoleMaster)
		}
		c.pods = append(c.pods, pod)
		t.Spec.Shards[0].Members = append(t.Spec.Shards[0].Members, v1alpha1.Member{Pod: pod.Name, Address: announcedBy(pod.Status.PodIP)})
	}
	c.topologies[key] = t
}

// indexedCluster finds pods without a search, as the real cache does.
type indexedCluster struct {
	*fakeCluster

	pods map[component]map[string]*corev1.Pod
}

type component struct {
	instance types.NamespacedName
	name     string
}

func indexed(c *fakeCluster) indexedCluster {
	i := indexedCluster{fakeCluster: c, pods: map[component]map[string]*corev1.Pod{}}
	for _, pod := range c.pods {
		key := component{kube.InstanceOf(pod), pod.Labels[v1alpha1.LabelComponent]}
		if i.pods[key] == nil {
			i.pods[key] = map[string]*corev1.Pod{}
		}
		i.pods[key][pod.Name] = pod
	}
	return i
}

func (c indexedCluster) PodAt(string) string { return "" }

func (c indexedCluster) PodFailures(*v1alpha1.KVRocksTopology, map[string]*corev1.Pod, time.Time) []v1alpha1.PodFailure {
	return nil
}

func (c indexedCluster) PodsOf(instance types.NamespacedName, name string) map[string]*corev1.Pod {
	return c.pods[component{instance, name}]
}

// noStatus takes reports as a cache without delay would show them.
type noStatus struct{ cluster *fakeCluster }

func (s noStatus) UpdateStatus(_ context.Context, t *v1alpha1.KVRocksTopology) error {
	if have, ok := s.cluster.topologies[kube.KeyOf(t)]; ok {
		have.Status = t.Status // only the pass of this topology reads it
	}
	return nil
}

func memory() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// cpuTime that the process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // fails for no valid argument
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
