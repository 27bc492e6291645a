package scenarios

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// The same programs without the operator, for comparisons.

const (
	etcdPort       = 2379
	controllerPort = 9379
)

// bareNode runs a data node of a cluster in a pod and returns its address, which outlives the pod.
func (s *scenario) bareNode(name string) string {
	s.Helper()
	address := s.bareService(name, v1alpha1.DefaultPort)
	s.barePod(name)
	return address
}

// barePod makes the pod of a data node, empty and in no cluster.
func (s *scenario) barePod(name string) {
	s.Helper()
	config := strings.Join([]string{"bind 0.0.0.0", fmt.Sprintf("port %d", v1alpha1.DefaultPort), "dir /tmp", "cluster-enabled yes", "use-rsid-psync yes"}, `\n`)
	s.bare(name, corev1.Container{
		Name: "kvrocks", Image: v1alpha1.DefaultKVRocksImage,
		Command: []string{"sh", "-c", fmt.Sprintf(`printf '%s\n' >/tmp/kvrocks.conf && exec kvrocks -c /tmp/kvrocks.conf`, config)},
		Ports:   []corev1.ContainerPort{{ContainerPort: v1alpha1.DefaultPort}},
	})
	s.eventually(name+" answers", time.Minute, func() error {
		pod, err := s.kube.CoreV1().Pods(s.namespace).Get(s.ctx, name, metav1.GetOptions{})
		if err != nil || pod.Status.PodIP == "" {
			return fmt.Errorf("%s has no address yet: %w", name, err)
		}
		c := client(fmt.Sprintf("%s:%d", pod.Status.PodIP, v1alpha1.DefaultPort), "", impatient)
		defer func() { _ = c.Close() }()
		return c.Ping(s.ctx).Err()
	})
}

// bare makes a pod that nothing replaces.
func (s *scenario) bare(name string, container corev1.Container, volumes ...corev1.Volume) {
	s.Helper()
	_, err := s.kube.CoreV1().Pods(s.namespace).Create(s.ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"bare": name}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{container}, Volumes: volumes},
	}, metav1.CreateOptions{})
	require.NoError(s, err)
}

func (s *scenario) bareService(name string, port int32) string {
	s.Helper()
	service, err := s.kube.CoreV1().Services(s.namespace).Create(s.ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{"bare": name},
			Ports:    []corev1.ServicePort{{Port: port, TargetPort: intstr.FromInt32(port)}},
		},
	}, metav1.CreateOptions{})
	require.NoError(s, err)
	return fmt.Sprintf("%s:%d", service.Spec.ClusterIP, port)
}

// bareController runs kvrocks-controller with the settings that it comes with, and its store, and returns its URL for the
// namespace of the scenario.
func (s *scenario) bareController() string {
	s.Helper()
	store := s.bareService("bare-etcd", etcdPort)
	s.bare("bare-etcd", corev1.Container{
		Name: "etcd", Image: v1alpha1.DefaultEtcdImage,
		Command: []string{
			"/usr/local/bin/etcd", "--data-dir=/tmp/etcd", fmt.Sprintf("--listen-client-urls=http://0.0.0.0:%d", etcdPort),
			"--advertise-client-urls=http://" + store,
		},
	})
	address := s.bareService("bare-controller", controllerPort)
	config, err := s.kube.CoreV1().ConfigMaps(s.namespace).Create(s.ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "bare-controller"},
		Data:       map[string]string{"config.yaml": "storage_type: etcd\netcd:\n  addrs: [\"" + store + "\"]\n"},
	}, metav1.CreateOptions{})
	require.NoError(s, err)
	s.bare("bare-controller", corev1.Container{
		Name: "controller", Image: v1alpha1.DefaultControllerImage,
		Env: []corev1.EnvVar{
			{Name: "KVROCKS_CONTROLLER_HTTP_HOST", ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: "status.podIP"}}},
			{Name: "KVROCKS_CONTROLLER_HTTP_PORT", Value: fmt.Sprint(controllerPort)},
		},
		VolumeMounts: []corev1.VolumeMount{{Name: "config", MountPath: "/var/lib/kvctl"}},
	}, corev1.Volume{Name: "config", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: config.Name},
	}}})
	url := "http://" + address + "/api/v1/namespaces"
	s.eventually("kvrocks-controller answers", time.Minute, func() error {
		return s.post(url, map[string]any{"namespace": s.namespace})
	})
	return url + "/" + s.namespace
}

func (s *scenario) post(url string, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	response, err := (&http.Client{Timeout: 5 * time.Second}).Post(url, "application/json", bytes.NewReader(raw))
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	return nil
}

// setNodes gives bare nodes a layout in which the owner has all slots.
func (s *scenario) setNodes(version int, owner string, others ...string) {
	s.Helper()
	layout := fmt.Sprintf("%s %s master - 0-%d", bareID(owner), strings.Replace(s.service(owner), ":", " ", 1), slotCount-1)
	for _, other := range others {
		layout += fmt.Sprintf("\n%s %s master -", bareID(other), strings.Replace(s.service(other), ":", " ", 1))
	}
	for _, node := range append([]string{owner}, others...) {
		c := s.direct(node, "")
		require.NoError(s, c.Do(s.ctx, "CLUSTERX", "SETNODEID", bareID(node)).Err())
		require.NoError(s, c.Do(s.ctx, "CLUSTERX", "SETNODES", layout, version).Err())
	}
}

// bareID is a node id made of a name.
func bareID(name string) string { return strings.Repeat("0", 40-len(name)) + name }

// migrateByHand moves slots with nothing but CLUSTERX MIGRATE, once the source has some settings, and returns how long it
// took.
func (s *scenario) migrateByHand(source *redis.Client, slots slotRange, to string, settings ...string) time.Duration {
	s.Helper()
	for setting := range slices.Chunk(settings, 2) {
		require.NoError(s, source.ConfigSet(s.ctx, setting[0], setting[1]).Err())
	}
	began := time.Now()
	require.NoError(s, source.Do(s.ctx, "CLUSTERX", "MIGRATE", slots.String(), bareID(to), "ASYNC").Err())
	s.eventually("the slots are moved by hand", 5*time.Minute, func() error {
		info, err := source.ClusterInfo(s.ctx).Result()
		if err != nil {
			return err
		}
		require.NotContains(s, info, "migrating_state: fail")
		return expectContains(info, "migrating_state: success")
	})
	return time.Since(began)
}
