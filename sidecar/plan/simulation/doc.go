// Package simulation runs the planner through random lives of instances, in which everything that may break does, and checks the
// safety rules at every action. It has tests only.
//
//	go test ./sidecar/plan/simulation -run SimulatedLives -seeds 10000
//	go test ./sidecar/plan/simulation -run SimulatedLivesWithHooks -hookedseeds 1000
//	go test ./sidecar/plan/simulation -run SimulatedClusterLives -clusterseeds 10000
//	go test ./sidecar/plan/simulation -run SimulatedMoves -moveseeds 10000
//
// What makes the topology is an operator: one that is written for these lives, and quick, or the hooks themselves, with small models of
// Metacontroller, the StatefulSet controller and the kubelet around them.
//
// A life follows from its seed: -from 17 -seeds 1 repeats one. With -histories FOLDER what happened in each is written into a file, so
// that a change of the simulation or of the planner that should change no decision can be seen to change none. What the lives
// reach of the planner: go test -coverpkg ./sidecar/plan/... ./sidecar/plan/...
package simulation
