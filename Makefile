# Everything from nothing: a target makes .venv and installs missing Debian packages itself, and says so.
PYTHON := $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v $$python && break; done)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/made-of-$(shell sha256sum requirements.lock | cut -c 1-16)
# Further options of what a target runs, as in: make test-all OPTIONS=--resume
OPTIONS :=
SUITES = $(BIN)/python -m tests.suites $(OPTIONS)
CHECKED := tasks.py hdss7 provision kubeproxy urltrace roles lab tests bench

.PHONY: help deploy test test-ansible test-faults test-vm test-upgrade test-etcd test-rolled test-debian13 test-hosts test-entrance test-tls test-ha test-core test-all reliability confusion bench bench-scale bench-peers lint packages packages-vm clean

help:
	@echo 'make deploy   three bare hosts on this machine become a Kubernetes site, and every check is run'
	@echo 'make test     the tests of the project itself: style, types, units, then a lab of their own'
	@echo 'make test-ansible  inventories read as ansible-core reads them, which is installed beside the project'
	@echo 'make test-faults  every fault of docs/reliability.md injected into a lab of its own, and survived'
	@echo 'make test-vm  kube-proxy in each of its modes, ipvs too, on a virtual machine with a kernel of its own'
	@echo 'make test-upgrade  another version of Kubernetes: refused, rolled with clients asking, rolled back'
	@echo 'make test-etcd  members of etcd join, lose their disks, run full; all data lost and restored'
	@echo 'make test-rolled  every setting that is rolled node by node, changed with clients asking'
	@echo 'make test-debian13  a site whose hosts are Debian 12 and Debian 13, deployed, changed and checked'
	@echo 'make test-hosts  a node is added, reinstalled, dies, leaves: clients asking, and nothing left behind'
	@echo 'make test-entrance  ten sites behind the edge, one of them ill in each way, silent nodes, what passes through; with HAProxy too'
	@echo 'make test-tls  TLS turned on, certificates renewed, names closed, with clients asking'
	@echo 'make test-ha  two edges with one address: the one that holds it is lost in every way, and both are changed'
	@echo 'make test-core    one test of each kind of the suites above, those that need another Kubernetes left out'
	@echo 'make test-all     all of these, what has passed at this commit left out; writes docs/reliability.md'
	@echo 'make reliability  docs/reliability.md written from what was measured at this commit'
	@echo 'make confusion  every fault of the catalogue made on a lab and traced; writes docs/diagnosis.md; goes on where it ended'
	@echo 'make bench    what a run costs beside plain ssh, as a table'
	@echo 'make bench-scale  the same for 10 to 1,000 small hosts, and over the workers of a scheduler'
	@echo 'make bench-peers  this toolkit beside Ansible, Mitogen, pyinfra and bundlewrap; writes docs/performance.md'
	@echo 'make lint     style, types, imports, shell, and everything declared, without a host'
	@echo 'make clean    take the default lab down with its disks, and remove .venv; builds stay in the cache'

deploy: packages
	@$(BIN)/python -m hdss7.quickstart

test: packages lint
	@$(SUITES) test

test-ansible: $(READY)
	@$(SUITES) ansible

test-faults: packages
	@$(SUITES) faults

test-vm: packages-vm
	@$(SUITES) vm

test-upgrade: packages
	@$(SUITES) upgrade

test-etcd: packages
	@$(SUITES) etcd

test-rolled: packages
	@$(SUITES) rolled

test-debian13: packages
	@$(SUITES) debian13

test-hosts: packages
	@$(SUITES) hosts

test-entrance: packages
	@$(SUITES) entrance

test-tls: packages
	@$(SUITES) tls

test-ha: packages
	@$(SUITES) ha

test-core: packages-vm
	@$(SUITES) --core long

test-all: packages-vm
	@$(SUITES) --resume faults vm upgrade debian13 etcd rolled hosts entrance tls ha test
	@$(BIN)/python -m tests.lab.faults.table

reliability: $(READY)
	@$(BIN)/python -m tests.lab.faults.table

confusion: packages
	@$(BIN)/python -m tests.confusion $(OPTIONS)

bench: packages
	@$(BIN)/python -m bench

bench-scale: packages
	@$(BIN)/python -m bench.scale $(OPTIONS)

bench-peers: packages
	@$(BIN)/python -m bench.peers $(OPTIONS)

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy --strict $(CHECKED)
	@$(BIN)/lint-imports --no-cache
	@git ls-files -z '*.sh' | xargs -0 --no-run-if-empty $(BIN)/shellcheck --shell=sh
	@$(BIN)/invoke lint

packages: $(READY)
	@.ci/install $$($(BIN)/python -c 'from lab import preflight; from provision import verify; \
		print(*preflight.packages(), *verify.packages())')

packages-vm: packages
	@.ci/install $$($(BIN)/python -c 'from lab import preflight; print(*preflight.packages(vm=True))')

# The stamp's name holds the lock's checksum: another lock is another environment.
$(READY):
	@test -n "$(PYTHON)" || { echo 'Python 3.11 or newer is needed and was not found: apt-get install python3 (Debian 12, Ubuntu 24.04 or newer)' >&2; exit 4; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || .ci/install python3-venv
	@echo 'Making $(VENV) of requirements.lock'
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@rm -f $(VENV)/made-of-*
	@touch $@

clean:
	@test ! -x $(BIN)/invoke || $(BIN)/invoke lab.down --purge
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
