// Package podtemplate merges the podTemplate of a KVRocks, a part of a PodTemplateSpec, into the pod template of a component, and says
// what of it must not be written.
//
// What is protected is what the operator's own template holds: its containers, their commands, ports, environment and mounts, its
// volumes, labels, readiness gate and grace period. So it is not listed here, and a new part of that template is protected as well.
//
//	podtemplate.go       Pods, and how a podTemplate is read: unknown fields are errors
//	merge.go             the merge, which gives equal bytes for equal facts
//	pod.go               what is wrong with labels, annotations, fields of the pod and volumes
//	containers.go        what is wrong with containers: those of the operator, and others
//	probes.go            what is wrong with the timings of the operator's probes
package podtemplate
