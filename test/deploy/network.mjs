// What stands for DNS and the way to the Internet in the processes of the tour. Loaded before anything else:
// `node --import`.
//
// - `WEBHOOK_HOST` resolves to a public address, which the product checks as ever; the way to that address leads to
//   this machine.
// - The URL of a deployed API, `https://ID.execute-api.REGION.amazonaws.com`, leads to the emulator's gateway.

import dns from 'node:dns/promises';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';

const PUBLIC_ADDRESS = '93.184.215.14';
const { WEBHOOK_HOST, GATEWAY_PORT } = process.env;

const { lookup } = dns;
const resolve = async (
  /** @type {string} */ name,
  /** @type {import("node:dns").LookupOptions} */ options,
) => (name === WEBHOOK_HOST ? [{ address: PUBLIC_ADDRESS, family: 4 }] : lookup(name, options));
Object.assign(dns, { lookup: resolve });
syncBuiltinESMExports();

/** @typedef {{ host?: string, lookup?: net.LookupFunction }} ConnectOptions */

/** Leads from the public address to this machine. @type {(asked: net.LookupFunction) => net.LookupFunction} */
const routed = (asked) => (name, how, callback) =>
  asked(name, how, (error, addresses, family) => {
    const route = (/** @type {string} */ address) => (address === PUBLIC_ADDRESS ? '127.0.0.1' : address);
    if (!Array.isArray(addresses)) return callback(error, addresses && route(addresses), family);
    const all = addresses.map((one) => ({ ...one, address: route(one.address) }));
    return callback(error, all, family);
  });

const { connect } = net.Socket.prototype;
net.Socket.prototype.connect = function (/** @type {any[]} */ ...args) {
  /** @type {ConnectOptions | undefined} */
  const options = Array.isArray(args[0]) ? args[0][0] : args[0];
  if (options?.lookup && options.host === WEBHOOK_HOST) options.lookup = routed(options.lookup);
  return Reflect.apply(connect, this, args);
};

const API = /^https:\/\/(\w+)\.execute-api\.[\w-]+\.amazonaws\.com/;
const { fetch } = globalThis;
globalThis.fetch = (input, init) => {
  const url = input instanceof Request ? input.url : String(input);
  if (!API.test(url)) return fetch(input, init);
  const routed = url.replace(API, `http://127.0.0.1:${GATEWAY_PORT}/_aws/execute-api/$1`);
  return input instanceof Request ? fetch(new Request(routed, input), init) : fetch(routed, init);
};
