package images

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// busybox is statically linked, so it runs in an image without a C library.
const busybox = "/bin/busybox"

// goProgram builds a package of this repository without C, for an image that has nothing else. Dir is the module's
// folder and pkg the package's below it.
func (s *Store) goProgram(ctx context.Context, dir, pkg, version string) (string, error) {
	if _, err := os.Stat(filepath.Join(dir, pkg)); err != nil {
		return "", fmt.Errorf("%w: %s is not in the tree", errNoSource, pkg)
	}
	binary := filepath.Join(s.layout.Cache, "built", strings.ReplaceAll(pkg, "/", "-"))
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w -X main.version="+version,
		"-o", binary, "./"+pkg)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return binary, nil
}

// standIn is the real program if the environment variable names one, and else the stand-in built from local/<pkg>.
func (s *Store) standIn(ctx context.Context, variable, pkg, version string) (string, error) {
	if binary := os.Getenv(variable); binary != "" {
		return filepath.Abs(binary)
	}
	return s.goProgram(ctx, s.layout.Source, pkg, version)
}

// libraryPath finds paths in the output of ldd: `libm.so.6 => /lib/libm.so.6 (0x..)` or, for the loader, `/lib64/ld.so (0x..)`.
var libraryPath = regexp.MustCompile(`(?m)(/\S+) \(0x[0-9a-f]+\)$`)

// executable is the program and the shared libraries that it needs, if any.
func executable(ctx context.Context, path, source string) ([]entry, error) {
	source, err := filepath.EvalSymlinks(source)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", path, err)
	}
	entries := []entry{{path: path, source: source, mode: 0o755}}
	out, err := exec.CommandContext(ctx, "ldd", source).CombinedOutput()
	if err != nil {
		if strings.Contains(string(out), "not a dynamic executable") {
			return entries, nil
		}
		return nil, fmt.Errorf("list the libraries of %s: %w\n%s", source, err, out)
	}
	if strings.Contains(string(out), "not found") {
		return nil, fmt.Errorf("%s lacks libraries:\n%s", source, out)
	}
	for _, match := range libraryPath.FindAllStringSubmatch(string(out), -1) {
		entries = append(entries, entry{path: match[1], source: match[1], mode: 0o755})
	}
	return entries, nil
}

// shell is busybox under all its names.
func shell(ctx context.Context) ([]entry, error) {
	out, err := exec.CommandContext(ctx, busybox, "--list").Output()
	if err != nil {
		return nil, fmt.Errorf("list the programs in busybox: %w", err)
	}
	entries := []entry{{path: busybox, source: busybox, mode: 0o755}}
	for applet := range strings.FieldsSeq(string(out)) {
		if applet != "busybox" {
			entries = append(entries, entry{path: "/bin/" + applet, link: busybox})
		}
	}
	return entries, nil
}

// system is what a user, a resolver and a temporary file need.
func system(user string, uid int) []entry {
	line := fmt.Sprintf("%s:x:%d:", user, uid)
	return []entry{
		{path: "/etc/passwd", data: []byte("root:x:0:0::/:/bin/sh\n" + line + fmt.Sprintf("%d::/:/bin/sh\n", uid)), mode: 0o644},
		{path: "/etc/group", data: []byte("root:x:0:\n" + line + "\n"), mode: 0o644},
		{path: "/etc/nsswitch.conf", data: []byte("hosts: files dns\n"), mode: 0o644},
		{path: "/tmp", dir: true, mode: 0o1777},
	}
}
