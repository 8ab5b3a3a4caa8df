#!/bin/sh
# Boots ROOT: its systemd as process 1 of namespaces of its own, so that whatever it does ends with it. As root.
# Ends with 130 when the machine has powered off, with 129 when it wanted to start again: Linux ends process 1 by SIGINT or
# SIGHUP then.
#
#   boot.sh ROOT
set -eu

root=$1

# A branch of its own in each hierarchy of control groups that systemd uses. Machines that shared one would take away the
# groups of each other's units, whose processes cannot be started then (219/CGROUP): a try that nobody has seen.
branch() {
  own=$(sed -n "s/^[0-9]*:$2://p" /proc/self/cgroup)
  trunk=$1${own%/}
  mkdir "$trunk/machine-$$"
  trunks="$trunks $trunk"
}

# Writing 0 moves whoever writes.
move() { for trunk in $trunks; do echo 0 >"$trunk/$1cgroup.procs"; done; }

boot() {
  groups=${root%/*}/groups trunks='' status=0
  mkdir -p "$groups/unified" "$groups/systemd"
  if mount -t cgroup2 cgroup2 "$groups/unified"; then branch "$groups/unified" ''; fi
  if [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then
    mount -t cgroup -o none,name=systemd,xattr cgroup "$groups/systemd"
    branch "$groups/systemd" name=systemd
  fi
  move "machine-$$/"
  trap : INT HUP
  STAGE=inside setpriv --pdeathsig KILL \
    unshare --mount --pid --fork --cgroup --uts --ipc --kill-child "$0" "$root" || status=$?
  move ''
  for trunk in $trunks; do find "$trunk/machine-$$" -depth -type d -exec rmdir {} +; done
  exit "$status"
}

case ${STAGE:-} in
  '') STAGE=branches exec unshare --mount "$0" "$root" ;;
  branches) boot ;;
esac

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
