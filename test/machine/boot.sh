#!/bin/sh
# Boots ROOT: its systemd as process 1 of namespaces of its own, so that whatever it does ends with it. As root.
# Ends by SIGINT when the machine has powered off, by SIGHUP when it wanted to start again: so Linux ends process 1.
#
#   boot.sh ROOT
set -eu

[ "${INSIDE:-}" ] || INSIDE=1 exec unshare --mount --pid --fork --cgroup --uts --ipc --kill-child "$0" "$1"

root=$1
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs -o ro sysfs "$root/sys"
for folder in run tmp; do mount -t tmpfs tmpfs "$root/$folder"; done
# systemd 252 takes either kind of control groups; of the old one it needs only its own hierarchy.
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
  mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
  mkdir "$root/sys/fs/cgroup/systemd"
  mount -t cgroup -o none,name=systemd,xattr cgroup "$root/sys/fs/cgroup/systemd"
fi
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
ln -s /proc/self/fd "$root/dev/fd"
exec chroot "$root" /usr/bin/env -i container=other PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system
