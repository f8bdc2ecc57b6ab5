/**
 * Where peers listen, as text: `[ID:]HOST:PORT`, IPv6 in brackets, several separated by commas. It
 * decides what an address is and what others are told; it resolves no names and opens nothing.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { PEER_ID_MAX, type PeerId } from '../../shared/model.ts';
import { ADDRESS_BYTES_MAX } from '../../shared/protocol/codec.ts';
import { err, ok, type Result } from '../../shared/result.ts';

/** One place to dial. */
export interface Address {
  /** Name or IP address, without brackets. */
  readonly host: string;
  /** 1 … 65535. */
  readonly port: number;
}

/** A place to dial with a hint at who is there. */
export interface SeedAddress extends Address {
  readonly id: PeerId | null;
}

const FORM = /^(?:(?<id>\d+):)?(?:\[(?<v6>[^\]]*)\]|(?<name>[^:[\]]*)):(?<port>\d{1,5})$/;
const HOST_NAME = /^(?!\d+$)[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?$/;

/** Reads `[ID:]HOST:PORT`; the error says what is wrong with it. */
export function parseAddress(text: string): Result<SeedAddress, string> {
  const groups = FORM.exec(text.trim())?.groups;
  if (groups === undefined) {
    return err(`"${text}" is not HOST:PORT or ID:HOST:PORT (IPv6 in brackets)`);
  }
  const { id, v6, name } = groups;
  const host = v6 ?? name ?? '';
  if (v6 === undefined ? !HOST_NAME.test(host) : !isIPv6(host)) {
    return err(`"${text}" has no valid host`);
  }
  if (v6 === undefined && /^[\d.]+$/.test(host) && !isIPv4(host)) {
    return err(`"${text}" has no valid host`);
  }
  const port = Number(groups['port']);
  if (port < 1 || port > 65_535) return err(`"${text}" has no valid port`);
  const peer = id === undefined ? null : Number(id);
  if (peer !== null && (peer < 1 || peer > PEER_ID_MAX)) return err(`"${text}" has no valid id`);
  return ok({ id: peer, host, port });
}

/** The places in a list as a peer tells it; what cannot be read is left out. */
export function parseAddressList(list: string): Address[] {
  return list.split(',').flatMap((text) => {
    const parsed = parseAddress(text);
    return parsed.ok ? [{ host: parsed.value.host, port: parsed.value.port }] : [];
  });
}

/** `host:port`, IPv6 in brackets. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** A host as the operating system takes it: brackets off. */
export function bareHost(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}

/** Whether listening on this host means all interfaces. */
export function isEveryInterface(host: string): boolean {
  return host === '0.0.0.0' || host === '::' || host === '';
}

/**
 * What others are told by a peer that listens here: the place itself, or this machine's addresses
 * when it listens everywhere (loopback only if there is no other).
 */
export function toldAddress(listening: Address, machine = machineHosts()): string {
  const { host, port } = listening;
  if (!isEveryInterface(host)) return formatAddress(listening);
  const usable = machine.filter((h) => host !== '0.0.0.0' || isIPv4(h));
  const hosts = usable.length === 0 ? ['127.0.0.1'] : usable;
  let told = '';
  for (const each of hosts) {
    const longer = told + (told === '' ? '' : ',') + formatAddress({ host: each, port });
    if (longer.length > ADDRESS_BYTES_MAX) break;
    told = longer;
  }
  return told;
}

/** Whether dialling `address` would reach the listener at `listening` on this machine. */
export function isOwn(address: Address, listening: Address, machine = machineHosts()): boolean {
  if (address.port !== listening.port) return false;
  const [host, own] = [numeric(address.host), numeric(listening.host)];
  if (host === own || isEveryInterface(host)) return true;
  return isEveryInterface(own) && (/^127\.|^::1$/.test(host) || machine.includes(host));
}

function numeric(host: string): string {
  return host === 'localhost' ? '127.0.0.1' : host;
}

/** This machine's addresses that another machine could dial, IPv4 first. */
export function machineHosts(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const usable = all.filter((a) => !a.internal && !a.address.startsWith('fe80:'));
  const v4 = usable.filter((a) => a.family === 'IPv4');
  const v6 = usable.filter((a) => a.family === 'IPv6');
  return [...v4, ...v6].map((a) => a.address);
}
