package server

import (
	"errors"
	"strconv"
	"strings"

	"github.com/kvrocks/kvrocks-operator/local/standin/kvrocks/cluster"
)

func (s *Server) cmdClusterX(c *client, args []string) error {
	sub, n := strings.ToLower(args[1]), len(args)
	switch {
	case (sub == "version" || sub == "myid") && n == 2, sub == "setnodeid" && n == 3 && len(args[2]) == cluster.IDLength,
		sub == "setnodes" && n >= 4, sub == "setslot" && n == 6, sub == "migrate":
	default:
		return errClusterXUsage
	}
	if !s.cfg.Flag("cluster-enabled") {
		return errClusterOff
	}
	var err error
	switch sub {
	case "version":
		c.WriteBulkString(strconv.FormatInt(s.topology.Version, 10))
		return nil
	case "myid":
		c.WriteBulkString(s.topology.MyID)
		return nil
	case "migrate":
		return s.cmdMigrate(c, args)
	case "setnodeid":
		if err = s.topology.SetID(args[2]); err == nil {
			err = s.takeRole()
		}
	case "setnodes":
		err = s.cmdSetNodes(args)
	case "setslot":
		err = s.cmdSetSlot(args)
	}
	if refused, ok := errors.AsType[refusal](err); ok {
		return refused
	}
	if err != nil {
		return refuse(err.Error())
	}
	if err := s.saveTopology(); err != nil {
		return err
	}
	return replyOK(c, args)
}

func (s *Server) cmdSetNodes(args []string) error {
	version, err := strconv.ParseInt(args[3], 10, 64)
	if err != nil {
		return refuse("Invalid version")
	}
	force := len(args) == 5 && strings.EqualFold(args[4], "force")
	if len(args) > 4 && !force {
		return refuse("Invalid setnodes options")
	}
	return s.setNodes(args[2], version, force)
}

func (s *Server) cmdSetSlot(args []string) error {
	r, err := cluster.ParseRange(args[2])
	if err != nil {
		return err
	}
	if !strings.EqualFold(args[3], "node") {
		return refuse("Invalid setslot options")
	}
	if len(args[4]) != cluster.IDLength {
		return refuse("Invalid node id")
	}
	version, err := strconv.ParseInt(args[5], 10, 64)
	if err != nil {
		return errNotInteger
	}
	if version < 0 {
		return refuse("Invalid version")
	}
	gone, err := s.topology.Assign(r, args[4], version)
	if err != nil {
		return err
	}
	return s.clearSlots(gone)
}
