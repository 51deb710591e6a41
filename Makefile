# The README's commands are the first targets. npm's programs come
# first on the PATH, so that everything below runs on the pinned Node.js.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

.PHONY: compare prices synth bundles watch test test-eks-anywhere test-bundles lint lint-workflows test-deploy test-runtimes test-kubernetes test-mutations test-eject test-browser bench golden docs mutations clean

compare: node_modules ## show the deployments beside each other
	@go run ./cmd/refdeploy compare

prices: ## print the prices of a bill with their sources and ages
	@go run ./cmd/refdeploy prices

synth: node_modules ## write every stack's template to cdk.out and list the stacks
	@output=$$(npx cdk synth --quiet 2>&1) || { echo "$$output" >&2; exit 1; }
	@go run ./cmd/refdeploy list --assembly cdk.out

bundles: ## write the app for other orchestrators to bundles/
	@go run ./cmd/refdeploy bundles

test: node_modules test-eks-anywhere test-bundles ## run every test
	go vet ./...
	go test ./...

test-eks-anywhere: ## validate the cluster files against the schemas of EKS Anywhere
	cd tests/eksanywhere && go vet ./... && go test ./...

test-bundles: ## read the files for other orchestrators as kustomize, Kubernetes, OpenShift and Compose do
	cd tests/bundles && go vet ./... && go test ./...

lint: bin/lint lint-workflows ## read the reviewed templates with cfn-lint, which needs Python, and the workflows with actionlint
	bin/lint/bin/cfn-lint --config-file tests/lint/cfnlintrc.yaml --non-zero-exit-code informational stacks/testdata/*.golden.json

bin/lint: tests/lint/requirements.txt
	python3 -m venv --clear $@
	$@/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# Not a tool in go.mod: its requirements would decide versions that the
# comparison's tables are drawn with. Without shellcheck, which not every
# machine has, the result is the same everywhere.
lint-workflows:
	go run github.com/rhysd/actionlint/cmd/actionlint@v1.7.12 -shellcheck= -pyflakes=

test-deploy: node_modules bin/emulator ## deploy, update and destroy every stack on an emulator of AWS, which needs Python 3.11
	go test -tags deploy -count 1 -timeout 15m -v ./tests/deploy

test-runtimes: node_modules ## run the app, and apps that are not ours, as each template says, in containers, which needs root on Linux with buildah, runc and umoci
	go test -tags runtimes -count 1 -parallel 4 -timeout 10m -v ./tests/runtimes

test-mutations: node_modules bin/lint ## break the templates one way at a time, and see which check notices
	go test -tags mutations -count 1 ./tests/mutations

test-eject: node_modules ## take every deployment home, compile and test it there
	go test -tags eject -count 1 -parallel 2 -timeout 60m -v ./tests/eject

mutations: node_modules bin/lint bin/emulator ## renew the table of mutations in docs/contributing.md, which deploys each to the emulator
	CDK_VALIDATION=false go test -tags mutations -count 1 -timeout 90m -v ./tests/mutations -update

bin/emulator: tests/deploy/emulator/requirements.txt tests/deploy/emulator/package-lock.json
	python3 -m venv --clear $@
	$@/bin/pip install --quiet --disable-pip-version-check --require-hashes -r $<
	npm ci --prefix tests/deploy/emulator
	@touch $@

test-kubernetes: node_modules $(if $(KUBEBUILDER_ASSETS),,bin/kubernetes/.built) ## apply the Kubernetes objects to a real control plane, whose first build takes minutes
	cd tests/kubernetes && go vet ./... && go test -count 1 -timeout 20m -v ./...

# The file says that the build came to its end: the programs are written one by
# one. Without a version, kubectl and the API server call themselves v0.0.0.
bin/kubernetes/.built: tests/kubernetes/go.mod tests/kubernetes/go.sum
	@echo "building Kubernetes; which takes many minutes the first time"
	cd tests/kubernetes && go build -o $(CURDIR)/bin/kubernetes/ \
		-ldflags "-s -w -X k8s.io/component-base/version.gitVersion=$$(go list -m -f '{{.Version}}' k8s.io/kubernetes)" tool
	mv bin/kubernetes/server bin/kubernetes/etcd
	@touch $@

test-browser: node_modules ## look at the HTML report and the app's page in Chromium, which has to be installed
	go test -tags browser ./internal/report/page
	go test -tags browser -run 'Deployment|Keyboard|Phone|Page' ./app

watch: node_modules ## show what each save changes: make watch STACK=EcsFargate
	@go run ./cmd/refdeploy watch $(STACK)

bench: node_modules ## measure synthesis, the loop of editing, the tests and the app
	go test -run '^$$' -bench 'Synth|Against' -benchtime 5x .
	go test -run '^$$' -bench Requests -benchtime 1x .
	go test -run '^$$' -bench Watch -benchtime 5x ./cmd/refdeploy
	go test -run '^$$' -bench Compare -benchtime 5x ./cmd/refdeploy
	go test -run '^$$' -bench HTML -benchtime 20x ./internal/report
	@if command -v chromium >/dev/null || command -v google-chrome >/dev/null; then \
		go test -tags browser -run '^$$' -bench Redraw -benchtime 30x ./internal/report/page; \
	else echo "no Chromium: a slider's redraw is not measured"; fi
	go test -run '^$$' -bench 'Ready|First|Idle' -benchtime 20x ./app
	go test -run '^$$' -bench Info -benchtime 300000x ./app
	@start=$$(date +%s); go test -count=1 ./... >/dev/null && echo "all tests: $$(($$(date +%s) - start)) s; the target is 90 s on two cores"

golden: node_modules ## accept the templates and bundles as they are now, to review with git diff
	go test ./stacks ./internal/bundle -update

docs: node_modules ## renew the generated parts of the documentation
	go test ./internal/docs -update

node_modules: package.json package-lock.json
	npm ci
	@touch node_modules

clean: ## remove everything that the other targets made, but bundles/, which you may have edited
	rm -rf bin cdk.out node_modules tests/deploy/emulator/node_modules
