package contract

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/kvrocks/kvrocks-operator/local/standin/programtest"
)

// suite is what all tests share. It is set once, before any test runs.
type suite struct {
	environment *envtest.Environment
	client      client.Client
	binary      string   // the program under test
	program     *program // one that runs all the time, for every controller but those with restrictedLabel
}

// restrictedLabel keeps the shared program away from a controller.
const restrictedLabel = "restricted"

var shared suite //nolint:gochecknoglobals // TestMain has no other way to hand something to the tests

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "contract:", err)
		code = 1
	}
	os.Exit(code)
}

// run starts the API server and the program, runs the tests, and stops both.
func run(m *testing.M) (code int, err error) {
	assets, err := findAssets()
	if err != nil {
		return 0, err
	}
	environment := &envtest.Environment{
		BinaryAssetsDirectory: assets,
		CRDDirectoryPaths:     []string{"testdata/crds.yaml", "../install/crds.yaml"},
		ErrorIfCRDPathMissing: true,

		ControlPlaneStartTimeout: 2 * time.Minute,
	}
	config, err := environment.Start()
	if err != nil {
		return 0, fmt.Errorf("start the API server: %w", err)
	}
	defer func() { _ = environment.Stop() }()

	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return 0, err
	}
	config.QPS, config.Burst = 1000, 1000
	if shared.client, err = client.New(config, client.Options{Scheme: scheme}); err != nil {
		return 0, fmt.Errorf("make a client: %w", err)
	}

	folder, err := os.MkdirTemp("", "metacontroller-contract-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	if shared.binary, err = programtest.Find("METACONTROLLER_BIN", folder, "metacontroller", "../cmd"); err != nil {
		return 0, err
	}
	shared.environment = environment
	shared.program, err = startProgram(folder, environment.KubeConfig, "--target-label-selector=!"+restrictedLabel)
	if err != nil {
		return 0, err
	}
	code = m.Run()
	if err := shared.program.stop(); err != nil {
		return 1, err
	}
	return code, nil
}

// findAssets returns a folder with kube-apiserver and etcd, and builds them the
// first time.
func findAssets() (string, error) {
	tools, err := programtest.Tools()
	if err != nil {
		return "", err
	}
	server, etcd := filepath.Dir(tools.Path("kube-apiserver")), filepath.Dir(tools.Path("etcd"))
	if server != etcd {
		return "", fmt.Errorf("kube-apiserver is in %s and etcd in %s: KUBEBUILDER_ASSETS must have both or none", server, etcd)
	}
	return server, nil
}
