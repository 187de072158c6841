#!/bin/sh
# Runs a command in a network and a mount namespace of its own: there is loopback and nothing else, and every name
# that /etc/hosts does not have is asked of a name server at 127.0.0.1:53, which the command itself may be.
#
#     netns.sh COMMAND [ARGUMENT]…
#
# Nothing outside changes, and all is gone when the command ends. Fails with a sentence where it is not allowed.
set -eu

if [ "${1:-}" != --inside ]; then
	command -v unshare >/dev/null || { echo "netns.sh: there is no unshare (util-linux)" >&2; exit 1; }
	unshare --user --map-root-user --net --mount true 2>/dev/null ||
		{ echo "netns.sh: this machine allows no namespaces to its users" >&2; exit 1; }
	exec unshare --user --map-root-user --net --mount "$0" --inside "$@"
fi
shift

if command -v ip >/dev/null; then
	ip link set lo up
else
	python3 - <<-'END'
		import fcntl, socket, struct
		SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
		with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
		    got = fcntl.ioctl(s, SIOCGIFFLAGS, struct.pack("16sh14x", b"lo", 0))
		    flags = struct.unpack("16sh14x", got)[1]
		    fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))
	END
fi

# A bind mount keeps its file after the name is gone.
over() {
	file=$(mktemp)
	cat >"$file"
	if [ -e "$1" ]; then
		mount --bind "$file" "$1"
	fi
	rm -f "$file"
}
over /etc/resolv.conf <<-'END'
	nameserver 127.0.0.1
	options timeout:5 attempts:2
END
over /etc/nsswitch.conf <<-'END'
	passwd: files
	group: files
	hosts: files dns
END

exec "$@"
