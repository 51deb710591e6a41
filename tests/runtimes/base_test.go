//go:build runtimes && linux

package runtimes_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"refdeploy/internal/project"
)

// A base stands in for an image of a registry, which the tests do not ask: it
// holds programs of this machine, with the libraries that they load, where a
// Dockerfile finds them.
type base struct {
	root string // what becomes the image's root directory

	// What the image says beside its files, as flags of `buildah config`.
	says []string
}

// A lack is a program that this machine has not.
type lack struct{ error }

// bases make what stands in for an image, by the image's name.
var bases = map[string]func(b *base, app string) error{
	"python":                      pythonBase,
	"node":                        nodeBase,
	"nginxinc/nginx-unprivileged": nginxBase,
}

// newBase makes what stands in for an image in root, for the app in a directory.
func newBase(image, root, app string) (*base, error) {
	name, _, _ := strings.Cut(image, ":")
	fill, ok := bases[name]
	if !ok {
		return nil, fmt.Errorf("%s: no base image stands in for %s; teach tests/runtimes", app, image)
	}
	b := &base{root: root, says: []string{"--env", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}}
	for _, dir := range []string{"bin", "etc", "root", "usr/local/bin", "var/log"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
			return nil, err
		}
	}
	if err := b.dir("/tmp", 0o777|os.ModeSticky); err != nil {
		return nil, err
	}
	if err := b.write("/etc/passwd", "root:x:0:0::/root:/bin/sh\nnginx:x:101:101::/:/bin/sh\nnode:x:1000:1000::/tmp:/bin/sh\n", 0o644); err != nil {
		return nil, err
	}
	if err := b.program("/bin/sh", "/bin/sh"); err != nil {
		return nil, err
	}
	return b, fill(b, app)
}

// commit makes an image of the base, with the name of its directory, in the store
// of a builder. The files are moved there: they are many, and large.
func (b *base) commit(dir string) error {
	buildah, name := builder(dir), filepath.Base(b.root)
	if _, err := buildah("from", "--name", name, "scratch"); err != nil {
		return err
	}
	mounted, err := buildah("mount", name)
	if err != nil {
		return err
	}
	files, err := os.ReadDir(b.root)
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := os.Rename(filepath.Join(b.root, file.Name()), filepath.Join(strings.TrimSpace(mounted), file.Name())); err != nil {
			return err
		}
	}
	for _, step := range [][]string{{"umount", name}, append(append([]string{"config"}, b.says...), name), {"commit", "--quiet", "--rm", name, name}} {
		if _, err := buildah(step...); err != nil {
			return err
		}
	}
	return nil
}

func (b *base) dir(path string, mode os.FileMode) error {
	path = filepath.Join(b.root, path)
	if err := os.MkdirAll(path, 0o755); err != nil {
		return err
	}
	return os.Chmod(path, mode)
}

func (b *base) write(path, text string, mode os.FileMode) error {
	path = filepath.Join(b.root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, []byte(text), mode)
}

// copy brings a file of the machine, or what a link there leads to.
func (b *base) copy(from, to string, mode os.FileMode) error {
	to = filepath.Join(b.root, to)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if err := copyFile(from, to); err != nil {
		return err
	}
	return os.Chmod(to, mode)
}

// program brings a program and its libraries.
func (b *base) program(from, to string) error {
	if err := b.copy(from, to, 0o755); err != nil {
		return err
	}
	return b.libraries(from)
}

// library is a line of ldd: a name and where it is, or the loader alone.
var library = regexp.MustCompile(`(?m)^\s(?:\S+ => )?(/\S+) \(0x`)

// libraries brings what the loader finds for programs and libraries.
func (b *base) libraries(of ...string) error {
	output, err := exec.Command("ldd", of...).CombinedOutput() // fails where one of them loads nothing
	if errors.Is(err, exec.ErrNotFound) {
		return lack{err}
	}
	if absent := regexp.MustCompile(`\S+ => not found`).Find(output); absent != nil {
		return lack{fmt.Errorf("a library that %s loads: %s", of[0], absent)}
	}
	for _, match := range library.FindAllSubmatch(output, -1) {
		path := string(match[1])
		if _, err := os.Stat(filepath.Join(b.root, path)); err == nil {
			continue
		}
		if err := b.copy(path, path, 0o755); err != nil {
			return err
		}
	}
	return nil
}

// tree brings a directory without what is matched by one of the patterns.
func (b *base) tree(from string, without ...string) error {
	if err := os.MkdirAll(filepath.Join(b.root, from), 0o755); err != nil {
		return err
	}
	args := []string{"-C", from}
	for _, pattern := range without {
		args = append(args, "--exclude="+pattern)
	}
	pack := exec.Command("tar", append(args, "-cf", "-", ".")...)
	unpack := exec.Command("tar", "-C", filepath.Join(b.root, from), "--no-same-owner", "-xf", "-")
	var err error
	if unpack.Stdin, err = pack.StdoutPipe(); err != nil {
		return err
	}
	if err := unpack.Start(); err != nil {
		return err
	}
	if err := pack.Run(); err != nil {
		return fmt.Errorf("tar of %s: %w", from, err)
	}
	return unpack.Wait()
}

// pythonBase has the machine's Python, and what pip would download for the app:
// only the machine itself knows the way to its registry.
func pythonBase(b *base, app string) error {
	output, err := exec.Command("python3", "-c", `import json, os, sys, sysconfig
print(json.dumps({"program": os.path.realpath(sys._base_executable), "prefix": sys.base_prefix, "library": sysconfig.get_path("stdlib"), "bin": sysconfig.get_path("scripts")}))`).Output()
	if err != nil {
		return lack{fmt.Errorf("python3: %w", err)}
	}
	var python struct{ Program, Prefix, Library, Bin string }
	if err := json.Unmarshal(output, &python); err != nil {
		return err
	}
	const wheels, pip = "/wheels", "pip==25.3"
	download := exec.Command("python3", "-m", "pip", "download", "--quiet", "--dest", filepath.Join(b.root, wheels),
		"--requirement", project.Path(app, "requirements.txt"), pip)
	if output, err := download.CombinedOutput(); err != nil {
		return lack{fmt.Errorf("python3 -m pip download: %w: %s; on Debian and Ubuntu: apt-get install python3-pip", err, last(output))}
	}
	found, err := filepath.Glob(filepath.Join(b.root, wheels, "pip-*.whl"))
	if err != nil || len(found) != 1 {
		return fmt.Errorf("pip download wrote %d wheels of pip, expected one", len(found))
	}
	if err := b.program(python.Program, python.Program); err != nil {
		return err
	}
	// Debian's own Python refuses pip with a file EXTERNALLY-MANAGED.
	if err := b.tree(python.Library, "./test", "./idlelib", "./lib2to3", "./ensurepip", "./config-*", "./site-packages", "./dist-packages", "./EXTERNALLY-MANAGED", "*.opt-?.pyc"); err != nil {
		return err
	}
	modules, err := filepath.Glob(filepath.Join(python.Library, "lib-dynload", "*.so"))
	if err != nil {
		return err
	}
	if err := b.libraries(append([]string{python.Program}, modules...)...); err != nil {
		return err
	}
	if err := os.Symlink(python.Program, filepath.Join(b.root, "usr", "local", "bin", "python3")); err != nil {
		return err
	}
	b.says = append(b.says, "--env", fmt.Sprintf("PATH=%s:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", path.Join(python.Prefix, "bin")))
	return b.write("/usr/local/bin/pip", fmt.Sprintf("#!/bin/sh\nexec %s %s/pip \"$@\" --no-index --find-links %s --root-user-action ignore\n",
		python.Program, path.Join(wheels, filepath.Base(found[0])), wheels), 0o755)
}

// last is the last line of what a program says: why it ends.
func last(output []byte) string {
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	return lines[len(lines)-1]
}

// nodeBase has the Node.js that package.json pins, and the machine's npm.
func nodeBase(b *base, _ string) error {
	npm, err := exec.LookPath("npm")
	if err == nil {
		npm, err = filepath.EvalSymlinks(npm)
	}
	if err != nil {
		return lack{fmt.Errorf("npm: %w", err)}
	}
	dir := filepath.Dir(filepath.Dir(npm)) // npm/bin/npm-cli.js
	if filepath.Base(npm) != "npm-cli.js" {
		return lack{fmt.Errorf("npm: %s is not the program of the package npm", npm)}
	}
	if err := b.program(project.Path("node_modules", "node", "bin", "node"), "/usr/local/bin/node"); err != nil {
		return err
	}
	if err := b.tree(dir, "./man", "./docs"); err != nil {
		return err
	}
	return b.write("/usr/local/bin/npm", "#!/bin/sh\nexec node "+npm+" \"$@\"\n", 0o755)
}

// nginxBase has the machine's nginx, or that of Debian's package, which is only
// unpacked: installed, it would start a server. Its configuration is what makes
// the image that it stands in for run without rights.
func nginxBase(b *base, _ string) error {
	nginx, err := exec.LookPath("nginx")
	if err != nil {
		dir := b.root + ".deb"
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		cmd := exec.Command("sh", "-c", "apt-get download nginx && dpkg-deb -x nginx_*.deb .")
		cmd.Dir = dir
		if output, err := cmd.CombinedOutput(); err != nil {
			return lack{fmt.Errorf("nginx, and apt-get download nginx: %w: %s", err, last(output))}
		}
		nginx = filepath.Join(dir, "usr", "sbin", "nginx")
	}
	if err := b.program(nginx, "/usr/sbin/nginx"); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(b.root, "var", "log", "nginx"), 0o755); err != nil {
		return err
	}
	if err := os.Symlink("/dev/stderr", filepath.Join(b.root, "var", "log", "nginx", "error.log")); err != nil {
		return err
	}
	b.says = append(b.says, "--user", "101", "--cmd", `["nginx", "-g", "daemon off;"]`)
	return b.write("/etc/nginx/nginx.conf", `worker_processes auto;
error_log /dev/stderr notice;
pid /tmp/nginx.pid;

events {
    worker_connections 1024;
}

http {
    client_body_temp_path /tmp/client_temp;
    proxy_temp_path /tmp/proxy_temp;
    fastcgi_temp_path /tmp/fastcgi_temp;
    uwsgi_temp_path /tmp/uwsgi_temp;
    scgi_temp_path /tmp/scgi_temp;
    types {
        text/html html;
    }
    access_log /dev/stdout;
    include /etc/nginx/conf.d/*.conf;
}
`, 0o644)
}
