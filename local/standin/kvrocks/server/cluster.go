package server

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks/cluster"
)

const (
	errNotInitialized = refusal("CLUSTERDOWN The cluster is not initialized")
	errNotServed      = refusal("CLUSTERDOWN Hash slot not served")
	errCrossSlot      = refusal("CROSSSLOT Attempted to access keys that don't hash to the same slot")
	errForbidden      = refusal("TRYAGAIN Can't write to slot being migrated which is in write forbidden phase")
	errClusterUsage   = refusal("ERR CLUSTER command, CLUSTER INFO|NODES|SLOTS|KEYSLOT|RESET|REPLICAS")
	errClusterXUsage  = refusal("ERR CLUSTERX command, CLUSTERX VERSION|MYID|SETNODEID|SETNODES|SETSLOT|MIGRATE")
	errClusterOff     = refusal("ERR Cluster mode is not enabled")
)

// The topology is guarded by the server's guard: what changes it runs alone.

func (s *Server) clusterCommands() []command {
	return []command{
		{"cluster", -2, 0, [3]int{}, s.cmdCluster},
		{"clusterx", -2, 0, [3]int{}, s.cmdClusterX},
		{"asking", 1, 0, [3]int{}, func(c *client, args []string) error {
			c.asking = true
			return replyOK(c, args)
		}},
		{"readonly", 1, noMulti, [3]int{}, func(c *client, args []string) error {
			c.readOnly = true
			return replyOK(c, args)
		}},
		{"readwrite", 1, noMulti, [3]int{}, func(c *client, args []string) error {
			c.readOnly = false
			return replyOK(c, args)
		}},
		{"_apply", -4, write, one, s.cmdApply},
	}
}

// changesTopology says whether a command has to run alone.
func changesTopology(cmd *command, args []string) bool {
	if (cmd.name != "cluster" && cmd.name != "clusterx") || len(args) < 2 {
		return false
	}
	switch strings.ToLower(args[1]) {
	case "setnodes", "setnodeid", "setslot", "import", "reset":
		return true
	}
	return false
}

func (s *Server) nodesFile() string { return filepath.Join(s.cfg.Text("dir"), "nodes.conf") }

// loadTopology takes over what nodes.conf says, which decides over slaveof.
func (s *Server) loadTopology() error {
	text, err := os.ReadFile(s.nodesFile())
	if errors.Is(err, os.ErrNotExist) || !s.cfg.Flag("persist-cluster-nodes-enabled") {
		return nil
	}
	if err != nil {
		return fmt.Errorf("failed to load cluster nodes info: %w", err)
	}
	id, nodes, version, err := cluster.ParseFile(string(text))
	if err != nil {
		return fmt.Errorf("failed to load cluster nodes info: %w", err)
	}
	s.topology.MyID = id
	if err := s.setNodes(nodes, version, false); err != nil {
		return fmt.Errorf("failed to load cluster nodes info: %w", err)
	}
	return nil
}

func (s *Server) saveTopology() error {
	if !s.cfg.Flag("persist-cluster-nodes-enabled") {
		return nil
	}
	tmp := s.nodesFile() + ".tmp"
	err := os.WriteFile(tmp, []byte(s.topology.File()), 0o644)
	if err == nil {
		err = os.Rename(tmp, s.nodesFile())
	}
	if err != nil {
		return refuse("rename file encounter error: " + err.Error())
	}
	return nil
}

func (s *Server) setNodes(nodes string, version int64, force bool) error {
	changed, err := s.topology.Set(nodes, version, force, func(n *cluster.Node) bool {
		return itoa(n.Port) == s.cfg.Text("port") && s.listensOn(n.Host)
	})
	if err != nil || !changed {
		return err
	}
	// kvrocks 2.11 and later: a node that is left out leads, and replicates no more (apache/kvrocks #2643).
	const leftOutLeads = 11
	if s.topology.Myself == nil && s.cfg.Release.Since(leftOutLeads) {
		err = s.lead()
	} else {
		err = s.takeRole()
	}
	if err != nil {
		return err
	}
	return s.clearSlots(s.topology.ForgetMoves())
}

// takeRole follows the topology's word on which node is this one's master.
func (s *Server) takeRole() error {
	me := s.topology.Myself
	if me == nil {
		return nil
	}
	if me.Master {
		return s.lead()
	}
	if master := s.topology.Nodes[me.MasterID]; master != nil {
		s.follow(master.Host, master.Port, false)
	}
	return nil
}

func (s *Server) cmdCluster(c *client, args []string) error {
	sub, n := strings.ToLower(args[1]), len(args)
	switch {
	case n == 2 && (sub == "nodes" || sub == "slots" || sub == "info"), sub == "reset" && n <= 3,
		(sub == "keyslot" || sub == "replicas") && n == 3, sub == "import":
	default:
		return errClusterUsage
	}
	if !s.cfg.Flag("cluster-enabled") {
		return errClusterOff
	}
	switch sub {
	case "keyslot":
		c.WriteInt(cluster.KeySlot(args[2]))
		return nil
	case "import":
		return s.cmdImport(c, args)
	case "reset":
		return s.cmdReset(c, args)
	}
	if s.topology.Version < 0 {
		return errNotInitialized
	}
	switch sub {
	case "nodes":
		text, ok := s.topology.Describe(time.Now().UnixMilli(), s.moves())
		if !ok {
			crash(s.log, "CLUSTER NODES after SETSLOT to an unknown node")
		}
		c.WriteBulkString(text)
	case "info":
		c.WriteBulkString(s.clusterInfo())
	case "slots":
		s.writeSlots(c)
	case "replicas":
		return s.writeReplicas(c, args[2])
	}
	return nil
}

func (s *Server) clusterInfo() string {
	var out strings.Builder
	assigned := 0
	for _, n := range s.topology.Slots {
		assigned += bit(n != nil)
	}
	field(&out, "cluster_state", "ok")
	field(&out, "cluster_slots_assigned", assigned)
	field(&out, "cluster_slots_ok", assigned)
	field(&out, "cluster_slots_pfail", 0)
	field(&out, "cluster_slots_fail", 0)
	field(&out, "cluster_known_nodes", len(s.topology.Nodes))
	field(&out, "cluster_size", s.topology.Size)
	field(&out, "cluster_current_epoch", s.topology.Version)
	field(&out, "cluster_my_epoch", s.topology.Version)
	if !s.isNotMaster() {
		s.migration.describe(&out)
		s.imports.describe(&out)
	}
	return out.String()
}

func (s *Server) isNotMaster() bool {
	return s.topology.Myself == nil || !s.topology.Myself.Master || s.isSlave()
}

func (s *Server) writeSlots(c *client) {
	runs := s.topology.Runs()
	c.WriteArray(len(runs))
	for _, run := range runs {
		nodes := []*cluster.Node{run.Node}
		for _, id := range run.Node.Replicas {
			if n := s.topology.Nodes[id]; n != nil {
				nodes = append(nodes, n)
			}
		}
		c.WriteArray(2 + len(nodes))
		c.WriteInt(run.Start)
		c.WriteInt(run.End)
		for _, n := range nodes {
			c.WriteArray(3)
			c.WriteBulkString(n.Host)
			c.WriteInt(n.Port)
			c.WriteBulkString(n.ID)
		}
	}
}

func (s *Server) writeReplicas(c *client, id string) error {
	n := s.topology.Nodes[id]
	if n == nil {
		return refuse(cluster.ErrNodeID.Error())
	}
	if !n.Master {
		return refuse(cluster.ErrNoMaster.Error())
	}
	var out strings.Builder
	text, _ := s.topology.Describe(time.Now().UnixMilli(), "")
	for line := range strings.Lines(text) {
		if strings.Contains(line, "slave "+id+" ") {
			out.WriteString(strings.Replace(line, "myself,", "", 1))
		}
	}
	c.WriteBulkString(out.String())
	return nil
}

func (s *Server) cmdReset(c *client, args []string) error {
	if len(args) == 3 && !strings.EqualFold(args[2], "hard") && !strings.EqualFold(args[2], "soft") {
		return errSyntax
	}
	switch {
	case s.migration.running().Valid():
		return refuse("Can't reset cluster while migrating slot")
	case s.imports.running().Valid():
		return refuse("Can't reset cluster while importing slot")
	case !s.isEmpty():
		return refuse("Can't reset cluster while database is not empty")
	}
	if err := s.lead(); err != nil {
		return err
	}
	s.topology = cluster.New()
	if err := os.Remove(s.nodesFile()); err != nil && !errors.Is(err, os.ErrNotExist) {
		s.log.Warn("Failed to remove the nodes file", "err", err)
	}
	return replyOK(c, args)
}
