package hooks

// syncCluster keeps what is there: clusters are not built yet. They will be one shard per StatefulSet, with the same
// steps as a standard instance.
func syncCluster(in *instance) (answer, error) {
	return refuse(in, reasonNotSupported, "type cluster is not supported by this release; write type: standard")
}
