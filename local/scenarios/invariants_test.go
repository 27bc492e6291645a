package scenarios

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/yaml"

	"github.com/kvrocks/kvrocks-operator/api/v1alpha1"
)

// watchMasters fails the test as soon as two pods of one shard are attached masters at the same moment, and neither of them is
// a former master that takes no writes any more.
func (s *scenario) watchMasters() {
	ctx, cancel := context.WithCancel(s.ctx)
	done := make(chan struct{})
	watcher, err := s.kube.CoreV1().Pods(s.namespace).Watch(ctx, metav1.ListOptions{LabelSelector: v1alpha1.LabelComponent + "=" + v1alpha1.ComponentData})
	require.NoError(s, err)
	go func() {
		defer close(done)
		masters := map[string]map[string]bool{} // shard → attached masters
		for event := range watcher.ResultChan() {
			pod, ok := event.Object.(*corev1.Pod)
			if !ok {
				continue
			}
			shard := pod.Labels[v1alpha1.LabelInstance] + "/" + pod.Labels[v1alpha1.LabelShard]
			if masters[shard] == nil {
				masters[shard] = map[string]bool{}
			}
			delete(masters[shard], pod.Name)
			if event.Type != watch.Deleted && pod.Labels[v1alpha1.LabelRole] == string(v1alpha1.RoleMaster) && isAttached(pod) {
				masters[shard][pod.Name] = true
			}
			if len(masters[shard]) > 1 && s.takeWrites(ctx, masters[shard]) > 1 {
				s.Errorf("two attached masters in shard %s: %v", shard, masters[shard])
			}
		}
	}()
	s.Cleanup(func() { cancel(); watcher.Stop(); <-done })
}

// takeWrites is how many of the pods say that they are master, at the same moment: they are asked one after the other, and the role may
// pass from one to the next meanwhile, so they are asked twice.
func (s *scenario) takeWrites(ctx context.Context, pods map[string]bool) int {
	return len(s.sayMaster(ctx, s.sayMaster(ctx, pods)))
}

func (s *scenario) sayMaster(ctx context.Context, pods map[string]bool) map[string]bool {
	masters := map[string]bool{}
	for name := range pods {
		pod, err := s.kube.CoreV1().Pods(s.namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil || pod.Status.PodIP == "" {
			continue
		}
		c := client(fmt.Sprintf("%s:%d", pod.Status.PodIP, pod.Spec.Containers[0].Ports[0].ContainerPort), s.password, impatient)
		if info, err := c.Info(ctx, "replication").Result(); err == nil && strings.Contains(info, "role:master") {
			masters[name] = true
		}
		_ = c.Close()
	}
	return masters
}

// signal sends a signal to the main process of a pod's container, on this machine.
func (s *scenario) signal(pod string, signal syscall.Signal) {
	s.Helper()
	require.NoError(s, syscall.Kill(s.process(pod), signal), "signal %s in %s", signal, pod)
}

// process is the id of the main process of a pod's container.
func (s *scenario) process(pod string) int {
	s.Helper()
	object := s.pod(pod)
	require.NotEmpty(s, object.Status.ContainerStatuses)
	id := strings.TrimPrefix(object.Status.ContainerStatuses[0].ContainerID, "containerd://")
	require.NotEmpty(s, id, "%s has no running container", pod)
	pid, err := mainProcess(id)
	require.NoError(s, err)
	return pid
}

// mainProcess finds the process that is number 1 in a container's PID namespace.
func mainProcess(container string) (int, error) {
	paths, err := filepath.Glob("/proc/[0-9]*/cgroup")
	if err != nil {
		return 0, err
	}
	for _, path := range paths {
		groups, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(groups), container) {
			continue
		}
		status, err := os.ReadFile(filepath.Join(filepath.Dir(path), "status"))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(status)) {
			if fields := strings.Fields(line); len(fields) > 2 && fields[0] == "NSpid:" && fields[len(fields)-1] == "1" {
				return strconv.Atoi(fields[1])
			}
		}
	}
	return 0, fmt.Errorf("container %s has no process on this machine; signals can only be sent on the local cluster", container)
}

// dump prints what a person would look at when something is wrong.
func (s *scenario) dump() {
	for _, resource := range []string{"kvrocks", "kvrockstopologies"} {
		list, err := s.dyn.Resource(kvrocksResource.GroupVersion().WithResource(resource)).Namespace(s.namespace).List(s.ctx, metav1.ListOptions{})
		if err != nil {
			s.Logf("list %s: %v", resource, err)
			continue
		}
		for _, item := range list.Items {
			item.SetManagedFields(nil)
			text, _ := yaml.Marshal(item.Object)
			s.Logf("%s %s:\n%s", resource, item.GetName(), text)
		}
	}
	if pods, err := s.kube.CoreV1().Pods(s.namespace).List(s.ctx, metav1.ListOptions{}); err == nil {
		for _, pod := range pods.Items {
			ready, restarts := false, int32(0)
			for _, container := range pod.Status.ContainerStatuses {
				ready, restarts = container.Ready, container.RestartCount
			}
			s.Logf("pod %s %s phase=%s ready=%v restarts=%d attached=%v role=%s", pod.Name, pod.Status.PodIP, pod.Status.Phase, ready,
				restarts, isAttached(&pod), pod.Labels[v1alpha1.LabelRole])
		}
	}
	if events, err := s.kube.CoreV1().Events(s.namespace).List(s.ctx, metav1.ListOptions{}); err == nil {
		for _, event := range events.Items {
			s.Logf("event %s %s/%s %s: %s", event.LastTimestamp.Format("15:04:05"), event.InvolvedObject.Kind, event.InvolvedObject.Name, event.Reason, event.Message)
		}
	}
	s.dumpLogs(systemNamespace, "app.kubernetes.io/name=kvrocks-sidecar")
}

func (s *scenario) dumpLogs(namespace, selector string) {
	pods, err := s.kube.CoreV1().Pods(namespace).List(s.ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		s.Logf("list pods of %s: %v", namespace, err)
		return
	}
	lines := int64(400)
	for _, pod := range pods.Items {
		text, err := s.kube.CoreV1().Pods(namespace).GetLogs(pod.Name, &corev1.PodLogOptions{TailLines: &lines}).DoRaw(s.ctx)
		if err != nil {
			s.Logf("logs of %s: %v", pod.Name, err)
			continue
		}
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, s.namespace) {
				s.Logf("%s: %s", pod.Name, strings.TrimSpace(line))
			}
		}
	}
}
