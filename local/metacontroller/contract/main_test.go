package contract

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/kvrocks/kvrocks-operator/local/internal/layout"
)

// suite is what all tests share. It is set once, before any test runs.
type suite struct {
	client  client.Client
	metrics string // URL of the program under test
	health  string
}

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
	defer os.RemoveAll(folder)
	kubeconfig := filepath.Join(folder, "kubeconfig")
	if err := os.WriteFile(kubeconfig, environment.KubeConfig, 0o600); err != nil {
		return 0, err
	}
	stop, err := startProgram(folder, kubeconfig)
	if err != nil {
		return 0, err
	}
	code = m.Run()
	if err := stop(); err != nil {
		return 1, err
	}
	return code, nil
}

// findAssets returns a folder with kube-apiserver and etcd.
func findAssets() (string, error) {
	if folder := os.Getenv("KUBEBUILDER_ASSETS"); folder != "" {
		return folder, nil
	}
	here, err := layout.New()
	if err != nil {
		return "", err
	}
	found, err := filepath.Glob(filepath.Join(here.Cache, "*", "kube-apiserver"))
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("no kube-apiserver below %s and no KUBEBUILDER_ASSETS: bring the local cluster up once", here.Cache)
	}
	return filepath.Dir(found[len(found)-1]), nil
}

// startProgram starts the program under test and waits until it is healthy.
// Its log is printed when a stop is not clean, or with CONTRACT_LOG set.
func startProgram(folder, kubeconfig string) (stop func() error, err error) {
	binary := os.Getenv("METACONTROLLER_BIN")
	if binary == "" {
		binary = filepath.Join(folder, "metacontroller")
		build := exec.Command("go", "build", "-o", binary, "../cmd")
		build.Stdout, build.Stderr = os.Stdout, os.Stderr
		if err := build.Run(); err != nil {
			return nil, fmt.Errorf("build the stand-in: %w", err)
		}
	}
	log, err := os.Create(filepath.Join(folder, "log"))
	if err != nil {
		return nil, err
	}
	health, metrics := freePort(), freePort()
	shared.health, shared.metrics = "http://"+health, "http://"+metrics+"/metrics"
	program := exec.Command(binary,
		"--zap-log-level=4", "--discovery-interval=1s",
		"--client-go-qps=1000", "--client-go-burst=1000", "--workers=5", "--events-qps=100",
		"--health-probe-bind-address="+health, "--metrics-address="+metrics)
	program.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig)
	program.Stdout, program.Stderr = log, log
	if err := program.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", binary, err)
	}
	stop = func() error {
		_ = program.Process.Signal(os.Interrupt)
		err := program.Wait()
		if text, _ := os.ReadFile(log.Name()); err != nil || os.Getenv("CONTRACT_LOG") != "" {
			fmt.Fprintf(os.Stderr, "log of %s:\n%s\n", binary, text)
		}
		if err != nil {
			return fmt.Errorf("%s did not stop cleanly: %w", binary, err)
		}
		return nil
	}
	for range 300 {
		if connection, err := net.DialTimeout("tcp", health, time.Second); err == nil {
			_ = connection.Close()
			return stop, nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	_ = stop()
	return nil, fmt.Errorf("%s is not healthy after 30 s", binary)
}

// freePort returns a loopback address that nobody listens on now.
func freePort() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer listener.Close()
	return "127.0.0.1:" + strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}
