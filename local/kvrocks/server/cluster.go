package server

func (s *Server) clusterCommands() []command {
	return []command{
		{"cluster", -2, 0, [3]int{}, s.cmdCluster},
		{"clusterx", -2, 0, [3]int{}, s.cmdCluster},
	}
}

// cmdCluster only refuses: cluster mode is not imitated yet.
func (s *Server) cmdCluster(*client, []string) error { return refuse("Cluster mode is not enabled") }
