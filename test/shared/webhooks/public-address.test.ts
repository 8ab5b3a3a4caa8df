import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPublicAddress } from '../../../functions/shared/webhooks/public-address.js';

/**
 * Every entry of IANA's IPv4 Special-Purpose Address Registry, with multicast and the reserved rest, checked by
 * Node's own BlockList.
 */
const SPECIAL_V4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.0.0.0/24', '192.0.2.0/24', '192.31.196.0/24', '192.52.193.0/24', '192.88.99.0/24'],
  ...['192.168.0.0/16', '192.175.48.0/24', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['224.0.0.0/4', '240.0.0.0/4'],
];
/** The same registry for IPv6, as far as it lies within 2000::/3; nothing outside that is public. */
const SPECIAL_V6 = [...['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20']];

function blockList(subnets: readonly string[], family: 'ipv4' | 'ipv6'): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [network = '', prefix] = subnet.split('/');
    list.addSubnet(network, Number(prefix), family);
  }
  return list;
}

const specialV4 = blockList(SPECIAL_V4, 'ipv4');
const specialV6 = blockList(SPECIAL_V6, 'ipv6');
const globalV6 = blockList(['2000::/3'], 'ipv6');

const dotted = (bits: number) => [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.');
const hexadecimal = (groups: readonly number[]) => groups.map((group) => group.toString(16)).join(':');

const anyV4 = fc.integer({ min: 0, max: 2 ** 32 - 1 }).map(dotted);
/** On both sides of the first and the last address of each range. */
const edgeV4 = fc
  .tuple(fc.constantFrom(...SPECIAL_V4), fc.boolean(), fc.integer({ min: -2, max: 2 }))
  .map(([subnet, end, step]) => {
    const [network = '', prefix] = subnet.split('/');
    const first = network.split('.').reduce((bits, octet) => bits * 256 + Number(octet), 0);
    const last = first + 2 ** (32 - Number(prefix)) - 1;
    return dotted(Math.min(2 ** 32 - 1, Math.max(0, (end ? last : first) + step)));
  });
const v4 = fc.oneof(anyV4, edgeV4);

const group = fc.integer({ min: 0, max: 0xffff });
const anyV6 = fc.array(group, { minLength: 8, maxLength: 8 });
const likelyV6 = fc
  .tuple(
    fc.constantFrom([0x2001], [0x2001, 0xdb8], [0x2002], [0x2620, 0x4f, 0x8000], [0x3fff], [0x2606], []),
    anyV6,
  )
  .map(([head, rest]) => [...head, ...rest].slice(0, 8));
const v6 = fc.oneof(anyV6, likelyV6).map(hexadecimal);

describe('properties', () => {
  test("an IPv4 address is public unless IANA's registry has it", () => {
    fc.assert(
      fc.property(v4, (address) => {
        expect(isPublicAddress(address)).toBe(!specialV4.check(address));
      }),
      { numRuns: 2_000 },
    );
  });

  test("an IPv6 address is public in 2000::/3 unless IANA's registry has it", () => {
    fc.assert(
      fc.property(v6, (address) => {
        const expected = globalV6.check(address, 'ipv6') && !specialV6.check(address, 'ipv6');
        expect(isPublicAddress(address)).toBe(expected);
      }),
      { numRuns: 2_000 },
    );
  });

  test('no IPv6 address that carries an IPv4 address is public, whatever it carries', () => {
    const wrappers = [
      ...['::', '::ffff:', '::ffff:0:', '64:ff9b::', '64:ff9b:1::'].map(
        (prefix) => (inner: string) => prefix + inner,
      ),
      (inner: string) => `2002:${colons(inner)}::1`,
      (inner: string) => `2001::${colons(inner)}`,
    ];
    fc.assert(
      fc.property(v4, fc.constantFrom(...wrappers), (inner, wrap) => {
        const address = wrap(inner);
        expect(isIP(address)).toBe(6);
        expect(isPublicAddress(address)).toBe(false);
        const { hostname } = new URL(`https://[${address}]/`);
        expect(isPublicAddress(hostname.slice(1, -1))).toBe(false);
      }),
    );
  });

  test('text that is no address is not public, and harms nothing', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[0-9a-fx.:%[\]/]{1,40}$/));
    fc.assert(
      fc.property(
        text.filter((word) => isIP(word) === 0),
        (word) => {
          expect(isPublicAddress(word)).toBe(false);
        },
      ),
    );
  });
});

/** Two groups of hexadecimal for four octets. */
function colons(address: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  return hexadecimal([a * 256 + b, c * 256 + d]);
}

test.each([
  ...['8.8.8.8', '1.1.1.1', '52.94.236.248', '9.255.255.255', '11.0.0.0', '100.63.255.255', '172.32.0.0'],
  ...['2606:4700:4700::1111', '2a00:1450:4001:80e::200e', '2001:4860:4860::8888', '2600:1f18::1'],
])('%s is public', (address) => {
  expect(isPublicAddress(address)).toBe(true);
});

test.each([
  ['169.254.169.254', 'metadata of EC2, Azure, Google'],
  ['169.254.170.2', 'credentials of an ECS task'],
  ['fd00:ec2::254', 'metadata of EC2 over IPv6'],
  ['100.100.100.200', 'metadata of Alibaba'],
  ['192.0.0.192', 'metadata of Oracle'],
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['::1', 'loopback'],
  ['0.0.0.0', 'this host'],
  ['::', 'unspecified'],
  ['10.1.2.3', 'private'],
  ['172.16.0.1', 'private'],
  ['192.168.1.1', 'private'],
  ['100.64.0.1', 'shared by carriers'],
  ['fc00::1', 'unique local'],
  ['fdff:ffff::1', 'unique local'],
  ['fe80::1', 'link-local'],
  ['fe80::1%eth0', 'link-local with a zone'],
  ['2606:4700::1%eth0', 'a zone'],
  ['fec0::1', 'site-local'],
  ['192.0.2.1', 'documentation'],
  ['2001:db8::1', 'documentation'],
  ['3fff::1', 'documentation'],
  ['198.18.0.1', 'benchmarks'],
  ['2001:2::1', 'benchmarks'],
  ['224.0.0.1', 'multicast'],
  ['ff02::1', 'multicast'],
  ['255.255.255.255', 'broadcast'],
  ['240.0.0.1', 'reserved'],
  ['4000::1', 'not given out'],
  ['5f00::1', 'segment routing'],
  ['100::1', 'discard'],
  ['::ffff:127.0.0.1', 'mapped loopback'],
  ['::ffff:7f00:1', 'mapped loopback, as URL spells it'],
  ['::ffff:8.8.8.8', 'mapped'],
  ['::127.0.0.1', 'compatible'],
  ['::7f00:1', 'compatible, as URL spells it'],
  ['64:ff9b::a9fe:a9fe', 'NAT64 of the metadata'],
  ['64:ff9b:1::1', 'NAT64, local'],
  ['2002:7f00:1::', '6to4 of loopback'],
  ['2001:0:4136:e378:8000:63bf:3fff:fdd2', 'Teredo'],
  ['localhost', 'a name'],
  ['127.1', 'a short form that sockets do not take'],
  ['0x7f.0.0.1', 'hexadecimal'],
  ['[::1]', 'brackets'],
  ['8.8.8.8 ', 'a space'],
  ['8.8.8.8/32', 'a range'],
  ['', 'nothing'],
])('%s is not public: %s', (address) => {
  expect(isPublicAddress(address)).toBe(false);
});
