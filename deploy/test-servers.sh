#!/bin/sh
# Installs the servers that the tests start for themselves: OpenLDAP, Redis,
# PostgreSQL, Keycloak, 389 Directory Server, moto for AWS, and Node-RED. `make test` calls it first; with
# everything in place it only looks and says nothing.
#
# It installs as root on Debian and Ubuntu, without starting any service. Where
# it can not, it prints one line for each missing server: what is missing and
# how to install it. Tests that need a missing server are skipped.
#
#   RESETD_TEST_REQUIRE  all, or a list out of slapd,redis,postgres,
#                        keycloak,samba,moto,389ds,nodered: servers without
#                        which this script (exit 1) and the tests fail
#   RESETD_TEST_INSTALL  no: look, but install nothing
#   RESETD_TEST_DIRS     folders to look in besides PATH, separated by colons,
#                        instead of the distributions' own (as in find.go)
set -eu

dirs=${RESETD_TEST_DIRS-/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin:/usr/libexec:/usr/lib/openldap:/opt/homebrew/bin:/opt/homebrew/opt/openldap/libexec:/usr/local/opt/openldap/libexec:/usr/lib/postgresql/*/bin:/usr/pgsql-*/bin:/opt/homebrew/opt/postgresql@*/bin}
policy=/usr/sbin/policy-rc.d

# have PROGRAM: is it in PATH or in one of the folders?
have() {
	if command -v "$1" >/dev/null 2>&1; then return 0; fi
	old_ifs=$IFS
	IFS=:
	for dir in $dirs; do # unquoted on purpose: splits at colons and expands *
		if [ -f "$dir/$1" ] && [ -x "$dir/$1" ]; then
			IFS=$old_ifs
			return 0
		fi
	done
	IFS=$old_ifs
	return 1
}

# Keycloak comes from Maven Central. The version is also in keycloak.go, and the
# sum is that of the archive.
keycloak_version=26.7.4
keycloak_sum=04823c336b797a7e18889a44262a7a64e6bf624cbbcc518c85e2622176ff2eee
keycloak_cache=${XDG_CACHE_HOME:-${HOME-}/.cache}/resetd
keycloak_home=$keycloak_cache/keycloak-$keycloak_version

# have_keycloak: is there a Java, and a Keycloak that was built to its end?
have_keycloak() { have java && [ -f "$keycloak_home/built-for-tests" ]; }

# add_keycloak fetches Keycloak by its Maven coordinates and builds it for an
# in-memory database, once: a server of it then starts in seconds.
add_keycloak() {
	echo "test-servers: fetching and building keycloak $keycloak_version" >&2
	mkdir -p "$keycloak_cache" || return 1
	work=$(mktemp -d "$keycloak_cache/work-XXXXXX") || return 1
	archive=$work/keycloak-quarkus-dist-$keycloak_version.tar.gz
	if mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy -DoutputDirectory="$work" \
		-Dartifact="org.keycloak:keycloak-quarkus-dist:$keycloak_version:tar.gz" >"$work/log" 2>&1 </dev/null &&
		echo "$keycloak_sum  $archive" | sha256sum -c - >>"$work/log" 2>&1 &&
		tar -xzf "$archive" -C "$work" 2>>"$work/log" &&
		"$work/keycloak-$keycloak_version/bin/kc.sh" build --db=dev-mem --health-enabled=true >>"$work/log" 2>&1 </dev/null; then
		touch "$work/keycloak-$keycloak_version/built-for-tests"
		rm -rf "$keycloak_home"
		mv "$work/keycloak-$keycloak_version" "$keycloak_home"
	else
		echo "test-servers: keycloak can not be had; the last words:" >&2
		tail -n 15 "$work/log" >&2
	fi
	rm -rf "$work"
}

# moto comes from PyPI, into a folder of its own. The version is also in moto.go.
moto_version=5.2.5
moto_home=${XDG_CACHE_HOME:-${HOME-}/.cache}/resetd/moto-$moto_version

# have_moto: is there a moto_server, in the usual places or where add_moto puts
# it? RESETD_TEST_DIRS stands for all places.
have_moto() {
	have moto_server || { [ -z "${RESETD_TEST_DIRS+set}" ] && [ -x "$moto_home/bin/moto_server" ]; }
}

# add_moto installs moto, without touching the machine's own Python.
add_moto() {
	echo "test-servers: installing moto $moto_version" >&2
	mkdir -p "$(dirname "$moto_home")" || return 1
	moto_log=$(mktemp)
	rm -rf "$moto_home" # what an attempt that was interrupted left
	if python3 -m venv "$moto_home" >"$moto_log" 2>&1 && # it can not be moved later: its scripts name the folder
		"$moto_home/bin/python" -m pip install --quiet --disable-pip-version-check "moto[server]==$moto_version" >>"$moto_log" 2>&1 </dev/null; then
		rm -f "$moto_log"
		return
	fi
	echo "test-servers: moto can not be had; the last words:" >&2
	tail -n 15 "$moto_log" >&2
	rm -rf "$moto_home" "$moto_log"
}

# Node-RED comes from npm, into a folder of its own. The version is also in nodered.go and in
# testserver/nodered/package.json, whose lock file pins all that it needs, by sums.
nodered_version=4.1.15
nodered_home=${XDG_CACHE_HOME:-${HOME-}/.cache}/resetd/node-red-$nodered_version

# have_nodered: is there a Node, and a Node-RED that was installed to its end?
have_nodered() { have node && [ -f "$nodered_home/node_modules/node-red/red.js" ]; }

# add_nodered installs Node-RED as the lock file says, at the second attempt if the first one fails or hangs. Scripts of
# packages are not run. The last command refuses a Node that is too old for it.
add_nodered() {
	echo "test-servers: installing node-red $nodered_version" >&2
	mkdir -p "$(dirname "$nodered_home")" || return 1
	work=$(mktemp -d "$(dirname "$nodered_home")/work-XXXXXX") || return 1
	limit=
	if command -v timeout >/dev/null 2>&1; then limit="timeout 180"; fi
	for attempt in 1 2; do
		cp "$(dirname "$0")/testserver/nodered/package.json" "$(dirname "$0")/testserver/nodered/package-lock.json" "$work" || break
		# shellcheck disable=SC2086 # a program and its argument, or nothing
		if (cd "$work" && $limit npm ci --ignore-scripts --omit=optional --no-audit --no-fund --no-update-notifier --loglevel=error &&
			node node_modules/node-red/red.js --version) >"$work/log" 2>&1 </dev/null; then
			rm -rf "$nodered_home"
			mv "$work" "$nodered_home"
			return
		fi
		echo "test-servers: node-red can not be had (attempt $attempt of 2); the last words:" >&2
		tail -n 15 "$work/log" >&2
	done
	rm -rf "$work"
}

# look sets $missing to the servers that are not installed.
look() {
	missing=
	have slapd || missing="$missing slapd"
	have redis-server || have valkey-server || missing="$missing redis"
	have initdb || missing="$missing postgres"
	have_keycloak || missing="$missing keycloak"
	{ have samba && have samba-tool && have ldbmodify && have kinit; } || missing="$missing samba"
	have_moto || missing="$missing moto"
	have_nodered || missing="$missing nodered"
	{ have ns-slapd && have certutil && have pk12util && have openssl && [ -d /usr/share/dirsrv/data ]; } || missing="$missing 389ds"
}

# required SERVER: does RESETD_TEST_REQUIRE name it?
required() {
	old_ifs=$IFS
	IFS=', '
	for name in ${RESETD_TEST_REQUIRE-}; do
		if [ "$name" = all ] || [ "$name" = "$1" ]; then
			IFS=$old_ifs
			return 0
		fi
	done
	IFS=$old_ifs
	return 1
}

# packages MANAGER SERVER: what brings the server there.
packages() {
	case $1:$2 in
	apt-get:slapd) echo slapd ldap-utils ;;
	dnf:slapd) echo openldap-servers ;;
	apk:slapd) echo openldap openldap-back-mdb openldap-overlay-all ;;
	brew:slapd) echo openldap ;;
	apt-get:redis) echo redis-server ;;
	dnf:redis | apk:redis) echo valkey ;;
	brew:redis) echo redis ;;
	apt-get:postgres | apk:postgres | brew:postgres) echo postgresql ;;
	dnf:postgres) echo postgresql-server ;;
	apt-get:moto) echo python3-venv ;;
	dnf:moto) echo python3 ;;
	apk:moto) echo python3 py3-pip ;;
	brew:moto) echo python ;;
	apt-get:nodered | dnf:nodered | apk:nodered) echo nodejs npm ;;
	brew:nodered) echo node ;;
	apt-get:389ds) echo 389-ds-base libnss3-tools openssl ;;
	dnf:389ds) echo 389-ds-base nss-tools openssl ;;
	apt-get:samba) echo samba samba-ad-provision samba-dsdb-modules samba-vfs-modules python3-samba ldb-tools krb5-user ;;
	dnf:samba) echo samba-dc krb5-workstation ldb-tools ;;
	apk:samba) echo samba-dc krb5 ldb-tools ;;
	brew:samba) echo samba krb5 ;;
	apt-get:keycloak) echo default-jre-headless maven ;;
	dnf:keycloak) echo java-21-openjdk-headless maven ;;
	apk:keycloak) echo openjdk21-jre-headless maven ;;
	brew:keycloak) echo openjdk@21 maven ;;
	esac
}

# advice SERVER: the command to install it with, by this system's manager.
advice() {
	# npm is there and did not bring it, or was not to: no package of the system's helps.
	if [ "$1" = nodered ] && have node && command -v npm >/dev/null 2>&1; then
		echo "make servers"
		return
	fi
	for manager in apt-get dnf apk brew; do
		command -v "$manager" >/dev/null 2>&1 || continue
		[ -n "$(packages "$manager" "$1")" ] || continue
		case $manager in
		apt-get) echo "sudo apt-get install --no-install-recommends $(packages apt-get "$1")" ;;
		dnf) echo "sudo dnf install $(packages dnf "$1")" ;;
		apk) echo "sudo apk add $(packages apk "$1")" ;;
		brew) echo "brew install $(packages brew "$1")" ;;
		esac
		return
	done
	echo "the package manager's $1 server package (Debian: $(packages apt-get "$1"))"
}

# hold_services keeps package scripts from starting what they install: they ask
# policy-rc.d, and 101 forbids (invoke-rc.d(8)). A policy that forbids already
# is left alone; another one is put back afterwards.
hold_services() {
	if [ -x "$policy" ]; then
		code=0
		"$policy" slapd start >/dev/null 2>&1 || code=$?
		if [ "$code" -eq 101 ]; then return; fi
	fi
	if [ -e "$policy" ]; then mv "$policy" "$policy.resetd-saved"; fi
	held=yes
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
}

# finish undoes hold_services and removes the log, however the script ends.
finish() {
	if [ "$held" = yes ]; then
		rm -f "$policy"
		if [ -e "$policy.resetd-saved" ]; then mv "$policy.resetd-saved" "$policy"; fi
	fi
	rm -f "$log"
}

# add installs what is missing. A failure is told and not final: look decides
# afterwards.
add() {
	wanted=
	for server in $missing; do
		# A Node from elsewhere brings its own npm, beside which Debian's can not be installed.
		if [ "$server" = nodered ] && have node && command -v npm >/dev/null 2>&1; then continue; fi
		wanted="$wanted $(packages apt-get "$server")"
	done
	if [ -z "$wanted" ]; then return; fi
	held=no
	log=$(mktemp)
	trap finish EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	hold_services
	echo "test-servers: installing$wanted" >&2
	export DEBIAN_FRONTEND=noninteractive
	# An old list of packages may do when the update fails. Another apt at work
	# is waited for.
	apt-get -qq -o DPkg::Lock::Timeout=300 update >"$log" 2>&1 || true
	# shellcheck disable=SC2086 # a list of words
	if ! apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install --no-install-recommends $wanted >>"$log" 2>&1 </dev/null; then
		echo "test-servers: apt-get failed; its last words:" >&2
		tail -n 15 "$log" >&2
	fi
	# Nor shall they start at the next boot, unasked, on the usual ports.
	if [ -d /run/systemd/system ]; then
		for server in $missing; do
			case $server in
			slapd) unit=slapd ;;
			redis) unit=redis-server ;;
			postgres) unit=postgresql ;;
			samba) unit="samba-ad-dc smbd nmbd winbind" ;;
			keycloak | moto | 389ds | nodered) continue ;; # no service comes with it, or none before dscreate makes one
			esac
			# shellcheck disable=SC2086 # a list of words
			systemctl disable $unit >/dev/null 2>&1 || true
		done
	fi
}

look
if [ -n "$missing" ] && [ "${RESETD_TEST_INSTALL-}" != no ] &&
	command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" -eq 0 ]; then
	add
	look
fi

case " $missing " in
*" keycloak "*)
	if [ "${RESETD_TEST_INSTALL-}" != no ] && have java && command -v mvn >/dev/null 2>&1; then
		add_keycloak || true
		look
	fi
	;;
esac

case " $missing " in
*" moto "*)
	if [ "${RESETD_TEST_INSTALL-}" != no ] && command -v python3 >/dev/null 2>&1; then
		add_moto
		look
	fi
	;;
esac

case " $missing " in
*" nodered "*)
	if [ "${RESETD_TEST_INSTALL-}" != no ] && have node && command -v npm >/dev/null 2>&1; then
		add_nodered || true
		look
	fi
	;;
esac

status=0
for server in $missing; do
	consequence="its tests are skipped"
	if required "$server"; then
		consequence="RESETD_TEST_REQUIRE asks for it"
		status=1
	fi
	echo "test-servers: $server is missing, $consequence; to install: $(advice "$server")" >&2
done
exit $status
