package scenarios

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

const slotCount = 16384

// slotMap is who owns what, as kvrocks-controller or a node has it. It is read here from their answers without any code
// of the operator, so that it can judge the operator.
type slotMap struct {
	version int64
	// owner holds for each slot the address of its master.
	owner [slotCount]string
	// nodes holds for each address whether it is a master or a replica.
	nodes map[string]string
}

var errNoRecord = errors.New("kvrocks-controller has no record of the cluster")

// record is the cluster as kvrocks-controller has it. It is an error when a slot has no owner or more than one.
func (s *scenario) record(name string) (slotMap, error) {
	service, err := s.kube.CoreV1().Services(s.namespace).Get(s.ctx, name+"-controller", metav1.GetOptions{})
	if err != nil {
		return slotMap{}, err
	}
	return s.recordAt(fmt.Sprintf("http://%s:%d/api/v1/namespaces/%s/clusters/%s", service.Spec.ClusterIP, service.Spec.Ports[0].Port,
		s.namespace, name))
}

func (s *scenario) recordAt(url string) (slotMap, error) {
	var body struct {
		Data struct {
			Cluster struct {
				Version int64
				Shards  []struct {
					Nodes      []struct{ Addr, Role string }
					SlotRanges []string `json:"slot_ranges"`
				}
			}
		}
	}
	if err := getJSON(s.ctx, url, &body); err != nil {
		return slotMap{}, err
	}
	m := slotMap{version: body.Data.Cluster.Version, nodes: map[string]string{}}
	for i, shard := range body.Data.Cluster.Shards {
		master := ""
		for _, node := range shard.Nodes {
			m.nodes[node.Addr] = node.Role
			if node.Role == "master" {
				master = node.Addr
			}
		}
		if master == "" {
			return slotMap{}, fmt.Errorf("shard %d of the record has no master", i)
		}
		if err := m.give(master, shard.SlotRanges); err != nil {
			return slotMap{}, fmt.Errorf("record of version %d: %w", m.version, err)
		}
	}
	return m, m.whole()
}

func getJSON(ctx context.Context, url string, body any) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	switch response.StatusCode {
	case http.StatusOK:
		return json.NewDecoder(response.Body).Decode(body)
	case http.StatusNotFound:
		return errNoRecord
	}
	return fmt.Errorf("%s: %s", url, response.Status)
}

// errOwners is the one thing that must not be so at any moment.
var errOwners = errors.New("a slot does not have exactly one owner")

func (m *slotMap) give(master string, ranges []string) error {
	for _, text := range ranges {
		if text == "-1" { // how kvrocks-controller may write that a shard has none
			continue
		}
		first, last, err := parseSlots(text)
		if err != nil {
			return err
		}
		for slot := first; slot <= last; slot++ {
			if m.owner[slot] != "" {
				return fmt.Errorf("%w: %d belongs to %s and to %s", errOwners, slot, m.owner[slot], master)
			}
			m.owner[slot] = master
		}
	}
	return nil
}

func (m *slotMap) whole() error {
	for slot, owner := range m.owner {
		if owner == "" {
			return fmt.Errorf("%w: %d has none in version %d", errOwners, slot, m.version)
		}
	}
	return nil
}

// owned is how many slots each master has.
func (m *slotMap) owned() map[string]int {
	counts := map[string]int{}
	for _, owner := range m.owner {
		counts[owner]++
	}
	return counts
}

func parseSlots(text string) (first, last int, err error) {
	a, b, isRange := strings.Cut(text, "-")
	if !isRange {
		b = a
	}
	if first, err = strconv.Atoi(a); err == nil {
		last, err = strconv.Atoi(b)
	}
	return first, last, err
}

// clusterNode is a line of CLUSTER NODES.
type clusterNode struct {
	id, address, role, master string
	slots                     []string
}

// parseNodes reads the answer of CLUSTER NODES, without the slots that are on their way from or to the node that answered.
func parseNodes(text string) ([]clusterNode, error) {
	var nodes []clusterNode
	for line := range strings.Lines(text) {
		fields := strings.Fields(line) // id address@bus flags master ping pong version link slots...
		if len(fields) < 8 {
			return nil, fmt.Errorf("a line of CLUSTER NODES is %q", line)
		}
		n := clusterNode{id: fields[0], role: strings.TrimPrefix(fields[2], "myself,"), master: fields[3]}
		n.address, _, _ = strings.Cut(fields[1], "@")
		for _, field := range fields[8:] {
			if !strings.HasPrefix(field, "[") {
				n.slots = append(n.slots, field)
			}
		}
		nodes = append(nodes, n)
	}
	return nodes, nil
}

// layout is the cluster as the node of a pod has it.
func (s *scenario) layout(pod corev1.Pod) (slotMap, error) {
	if pod.Status.PodIP == "" {
		return slotMap{}, fmt.Errorf("%s has no address yet", pod.Name)
	}
	c := client(fmt.Sprintf("%s:%d", pod.Status.PodIP, v1alpha1.DefaultPort), s.password, 2*time.Second)
	defer func() { _ = c.Close() }()
	text, err := c.ClusterNodes(s.ctx).Result()
	if err != nil {
		return slotMap{}, fmt.Errorf("%s: %w", pod.Name, err)
	}
	version, err := c.Do(s.ctx, "CLUSTERX", "VERSION").Int64()
	if err != nil {
		return slotMap{}, fmt.Errorf("%s: %w", pod.Name, err)
	}
	nodes, err := parseNodes(text)
	if err != nil {
		return slotMap{}, fmt.Errorf("%s: %w", pod.Name, err)
	}
	m := slotMap{version: version, nodes: map[string]string{}}
	for _, node := range nodes {
		m.nodes[node.address] = node.role
		if err := m.give(node.address, node.slots); err != nil {
			return slotMap{}, fmt.Errorf("%s: %w", pod.Name, err)
		}
	}
	if err := m.whole(); err != nil {
		return slotMap{}, fmt.Errorf("%s: %w", pod.Name, err)
	}
	return m, nil
}

// whole waits until the record of a cluster has exactly the pods that the cluster is to have and one owner for each
// slot, and every node has that very layout in that very version.
func (s *scenario) whole(name string) slotMap {
	s.Helper()
	var record slotMap
	s.eventually(name+" is whole", readyWithin, func() (err error) {
		if record, err = s.record(name); err != nil {
			return err
		}
		addresses := s.addresses(name)
		if len(addresses) != len(record.nodes) {
			return fmt.Errorf("the record has %d nodes, the topology %d", len(record.nodes), len(addresses))
		}
		pods := s.dataPods(name)
		for pod, address := range addresses {
			address = fmt.Sprintf("%s:%d", address, v1alpha1.DefaultPort)
			if record.nodes[address] == "" {
				return fmt.Errorf("%s (%s) is not in the record", pod, address)
			}
			object, exists := pods[pod]
			if !exists {
				return fmt.Errorf("%s does not exist", pod)
			}
			node, err := s.layout(object)
			switch {
			case err != nil:
				return err
			case node.version != record.version:
				return fmt.Errorf("%s has version %d, the record %d", pod, node.version, record.version)
			case node.owner != record.owner:
				return fmt.Errorf("%s has other owners than the record, both in version %d", pod, node.version)
			}
		}
		return nil
	})
	return record
}

// watchSlots fails the test as soon as the record of a cluster has a slot without an owner or with two. What the record
// says in between, and that there is none for a while, is not judged.
func (s *scenario) watchSlots(name string) {
	ctx, cancel := context.WithCancel(s.ctx)
	done := make(chan struct{})
	watching := *s
	watching.ctx = ctx
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			if _, err := watching.record(name); errors.Is(err, errOwners) {
				s.Errorf("%v", err)
				return
			}
			select {
			case <-ctx.Done():
			case <-time.After(200 * time.Millisecond):
			}
		}
	}()
	s.Cleanup(func() { cancel(); <-done })
}

// addressOf is the announced address of a pod with the port, as records and layouts have it.
func (s *scenario) addressOf(name, pod string) string {
	s.Helper()
	address := s.addresses(name)[pod]
	require.NotEmpty(s, address, "%s is no member of %s", pod, name)
	return fmt.Sprintf("%s:%d", address, v1alpha1.DefaultPort)
}

// slotOf is the slot of a key without braces: the CRC16 (XMODEM) of it.
func slotOf(key string) int {
	crc := uint16(0)
	for _, b := range []byte(key) {
		crc ^= uint16(b) << 8
		for range 8 {
			if carry := crc&0x8000 != 0; carry {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return int(crc % slotCount)
}
