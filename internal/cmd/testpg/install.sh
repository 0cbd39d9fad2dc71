#!/usr/bin/env bash
# Installs what the PostgreSQL tests need on Debian and Ubuntu: a server and
# the pgvector extension. Run it as root; it does nothing when both are there.
set -euo pipefail
export DEBIAN_FRONTEND=noninteractive LC_ALL=C

say() { printf 'install: %s\n' "$*"; }
die() { printf 'install: %s\n' "$*" >&2; exit 1; }

tmp=$(mktemp -d)
undo=()
cleanup() {
	local file
	for file in "${undo[@]}"; do rm -f -- "$file"; done
	rm -rf -- "$tmp"
}
trap cleanup EXIT
# A trapped signal waits until apt-get has ended; dpkg is not to be torn away.
trap 'exit 143' TERM INT HUP

# The newest major version that has a server, or nothing.
server_major() {
	local bin
	for bin in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV); do
		if [ -x "$bin/postgres" ] && [ -x "$bin/initdb" ]; then
			basename "$(dirname "$bin")"
			return
		fi
	done
}

has_pgvector() { [ -e "/usr/share/postgresql/$1/extension/vector.control" ]; }

# Writes a file that only has to exist while packages are being installed, and
# leaves one that the machine's owner has put there alone.
put_for_now() {
	local file=$1 mode=$2
	[ ! -e "$file" ] || return 0
	mkdir -p -- "$(dirname "$file")"
	undo+=("$file")
	cat >"$file"
	chmod "$mode" "$file"
}

# Debian's packages make and start a cluster of their own, and an upgrade
# restarts the ones that run. The tests want the binaries and nothing else.
keep_services_still() {
	put_for_now /etc/postgresql-common/createcluster.d/convostore-tests.conf 644 <<-'CONF'
		create_main_cluster = false
	CONF
	put_for_now /usr/sbin/policy-rc.d 755 <<-'POLICY'
		#!/bin/sh
		exit 101
	POLICY
}

apt_updated=
apt_update() {
	[ -z "$apt_updated" ] || return 0
	say "apt-get update"
	apt-get -qq update || die "apt-get update failed: are the machine's apt sources reachable?"
	apt_updated=yes
}

apt_install() {
	apt_update
	say "apt-get install $*"
	apt-get -qq install -y --no-install-recommends -o DPkg::Lock::Timeout=300 \
		-o Dpkg::Options::=--force-confold "$@" >"$tmp/apt.log" 2>&1 || {
		tail -n 30 "$tmp/apt.log" >&2
		die "apt-get install $* failed"
	}
}

has_package() { apt-cache show "$1" >/dev/null 2>&1; }

# The mirror that the machine itself uses for its own release.
own_mirror() {
	apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
		awk -v release="$VERSION_CODENAME" '$2 == release { print $1; exit }'
}

# The later release whose source package is built: its name, its component and
# the keyring that vouches for it.
source_release() {
	case $ID in
	debian) echo trixie main /usr/share/keyrings/debian-archive-keyring.gpg ;;
	ubuntu) echo noble universe /usr/share/keyrings/ubuntu-archive-keyring.gpg ;;
	*) die "$ID $VERSION_CODENAME has no pgvector package; build it from source and run this again" ;;
	esac
}

# Fetches the source with an apt of its own: the machine's sources and lists
# stay as they are.
fetch_source() {
	local release component keyring mirror
	read -r release component keyring < <(source_release)
	[ -n "${release:-}" ] || exit 1
	mirror=$(own_mirror)
	[ -n "$mirror" ] || die "no apt source for $VERSION_CODENAME to derive a mirror from"
	[ -r "$keyring" ] || die "$keyring is missing: install the archive keyring package"

	mkdir -p "$tmp/lists/partial" "$tmp/cache/archives/partial" "$tmp/src"
	echo "deb-src [signed-by=$keyring] $mirror $release $component" >"$tmp/sources.list"
	cat >"$tmp/apt.conf" <<-CONF
		Dir::Etc::SourceList "$tmp/sources.list";
		Dir::Etc::SourceParts "-";
		Dir::State::Lists "$tmp/lists";
		Dir::Cache "$tmp/cache";
		APT::Sandbox::User "root";
	CONF
	say "fetching the pgvector source of $ID $release"
	apt-get -c "$tmp/apt.conf" -qq update || die "the package lists of $release could not be fetched"
	(cd "$tmp/src" && apt-get -c "$tmp/apt.conf" -qq source --download-only pgvector) ||
		die "the pgvector source of $release could not be fetched"
}

# OPTFLAGS is emptied because pgvector's default, -march=native, would tie the
# library to this very processor, and a machine image may move to another.
build_pgvector() {
	local major=$1 pg_config=/usr/lib/postgresql/$1/bin/pg_config
	apt_install gcc make libc6-dev "postgresql-server-dev-$major"
	fetch_source
	mkdir "$tmp/build"
	tar -xf "$tmp"/src/pgvector_*.orig.tar.* -C "$tmp/build" --strip-components=1
	say "building pgvector for PostgreSQL $major"
	# with_llvm=no: the bitcode serves the JIT alone and would need clang.
	make -C "$tmp/build" -j"$(nproc)" PG_CONFIG="$pg_config" OPTFLAGS="" with_llvm=no all install \
		>"$tmp/make.log" 2>&1 || {
		tail -n 30 "$tmp/make.log" >&2
		die "pgvector did not build"
	}
}

install_server() {
	apt_install postgresql
	major=$(server_major)
	[ -n "$major" ] || die "the package postgresql brought no server into /usr/lib/postgresql"
}

install_pgvector() {
	local package=postgresql-$major-pgvector
	apt_update
	if has_package "$package"; then
		apt_install "$package"
	else
		say "$ID $VERSION_CODENAME has no package $package"
		build_pgvector "$major"
	fi
	has_pgvector "$major" || die "pgvector was installed, yet PostgreSQL $major has no vector.control"
}

done_already() {
	major=$(server_major)
	[ -n "$major" ] && has_pgvector "$major"
}

if done_already; then
	say "PostgreSQL $major and pgvector are there"
	exit 0
fi

[ "$(id -u)" = 0 ] || die "this needs root: run it with sudo"
command -v apt-get >/dev/null || die "no apt-get here: install PostgreSQL 15 or newer and pgvector by hand"
# Two test runs at once must not install at once; the second finds it done.
exec 9>/run/lock/convostore-install
flock 9
if done_already; then
	exit 0
fi
. /etc/os-release
keep_services_still
[ -n "$major" ] || install_server
has_pgvector "$major" || install_pgvector
say "PostgreSQL $major and pgvector are ready"
