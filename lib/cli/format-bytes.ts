const UNITS = ['kB', 'MB', 'GB', 'TB'] as const;

/** As people say it: `870 kB`, `24 MB`, `2.6 GB`. Powers of ten, as disks and networks are sold. */
export function formatBytes(bytes: number): string {
  let value = bytes / 1000;
  let unit = 0;
  while (value > 999 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const isLarge = UNITS[unit] === 'GB' || UNITS[unit] === 'TB';
  return `${isLarge && value < 99.95 ? value.toFixed(1) : Math.ceil(value)} ${UNITS[unit]}`;
}
