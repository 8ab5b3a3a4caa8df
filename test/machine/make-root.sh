#!/usr/bin/env bash
# Makes the root of the machine that test/machine boots: a minimal Debian with systemd 252, as Amazon Linux 2023 has it.
# As root; kept between runs.
#
#   test/machine/make-root.sh
#
# needs: the Debian package debootstrap
# env:   CONTAINER_CACHE   where it is kept (default ~/.cache/sd-turbo-container)
set -euo pipefail

readonly SUITE=bookworm
readonly CACHE=${CONTAINER_CACHE:-$HOME/.cache/sd-turbo-container}
readonly ROOT=$CACHE/machine-$SUITE

# Where this machine's own apt gets Debian from; empty leaves debootstrap its default.
mirror() {
  # shellcheck disable=SC2016 # apt's own variables
  apt-get indextargets --format '$(CREATED_BY) $(CODENAME) $(COMPONENT) $(REPO_URI)' 2>/dev/null |
    awk -v suite="$SUITE" '$1 == "Packages" && $2 == suite && $3 == "main" { print $4; exit }'
}

[ -e "$ROOT" ] && exit
mkdir -p "$CACHE"
rm -rf "$ROOT.part"
# shellcheck disable=SC2046 # no mirror, no argument
debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus "$SUITE" "$ROOT.part" $(mirror) >"$ROOT.log" 2>&1 ||
  { tail -5 "$ROOT.log" >&2; exit 1; }
rm -rf "$ROOT.part"/var/cache/apt/* "$ROOT.part"/var/lib/apt/lists/* "$ROOT.part"/usr/share/{doc,man,info,locale}/*
# What a machine of this kind has no hardware or no use for.
for unit in systemd-udevd systemd-timesyncd systemd-networkd systemd-logind getty@tty1 console-getty; do
  ln -sf /dev/null "$ROOT.part/etc/systemd/system/$unit.service"
done
rm -f "$ROOT.part"/lib/systemd/system/{apt-daily,apt-daily-upgrade,dpkg-db-backup,e2scrub_all,fstrim}.timer
mv "$ROOT.part" "$ROOT"
