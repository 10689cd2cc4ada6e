/** Names under which browsers reach the sign-in pages. */
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { header, type Received } from '#core/exchange.ts';
import { certificateNames } from '../edge/tls.ts';
import type { Settings } from '../settings.ts';

/** A request to a sign-in page, whose Host is a name of this server. */
export interface PageRequest extends Received {
  /**
   * Whether the browser uses HTTPS. True if the connection uses TLS, the headers of a trusted proxy specify HTTPS, or
   * the request is for the public URL.
   */
  readonly secure: boolean;
}

export interface Site {
  /**
   * Returns the request in the form that the pages read. Returns undefined if its Host is not a name of this server.
   */
  request(received: Received): PageRequest | undefined;
  /**
   * Reports whether a request is for the public URL. Only the responses to these requests have the header
   * Strict-Transport-Security, which makes browsers use HTTPS on all ports of the host.
   */
  isPublic(received: Received): boolean;
}

/**
 * Returns the check that the `Host` header of a request is a name of the server. The names are the loopback names, the
 * hosts of the listeners, the names in the certificate and the host of the public URL.
 *
 * This check prevents DNS rebinding: if an attacker's DNS name points to this server, the attacker's page sends that
 * name in `Host`. The port is not compared. A proxy or a port mapping can change the port, and another port does not
 * help an attacker. If a listener uses all addresses of the machine, `Host` may also be any IP address. This is safe,
 * because DNS rebinding needs a DNS name.
 */
export function siteOf(settings: Settings): Site {
  const publicName = settings.publicUrl === undefined ? undefined : bare(new URL(settings.publicUrl).hostname);
  const listeners = [settings.http, settings.https].filter((address) => address !== 'off');
  const names = new Set([...certificateNames(settings), ...listeners.map(({ host }) => host)].map((name) => bare(name.toLowerCase())));
  const everyAddress = listeners.some(({ host }) => host === '0.0.0.0' || host === '::');
  const file = settings.tlsCertificateFile;
  const certificate = file === undefined ? undefined : new X509Certificate(readFileSync(file));

  function isOwn(name: string): boolean {
    if (names.has(name) || isLoopbackName(name)) return true;
    if (isIP(name) !== 0) return everyAddress || certificate?.checkIP(name) !== undefined;
    return certificate?.checkHost(name) !== undefined;
  }

  const isPublic = (received: Received): boolean => publicName !== undefined && hostName(received) === publicName;
  return {
    isPublic,
    request(received) {
      const name = hostName(received);
      if (name === undefined || !isOwn(name)) return undefined;
      return { ...received, secure: received.secureTransport === true || isPublic(received) };
    },
  };
}

/**
 * Reports whether a name is `localhost`, a subdomain of `localhost`, an address in 127.0.0.0/8, or ::1. Source: RFC
 * 6761 §6.3: `localhost` names are loopback.
 */
function isLoopbackName(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || name === '::1' || (isIP(name) === 4 && name.startsWith('127.'));
}

/** Returns the name in `Host`, in lower case, without port and brackets. Undefined without exactly one valid Host header. */
function hostName(received: Received): string | undefined {
  const host = header(received, 'host');
  if (host === undefined || received.rawHeaders.filter((text, i) => i % 2 === 0 && text.toLowerCase() === 'host').length !== 1)
    return undefined;
  const [, bracketed, plain] = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([A-Za-z0-9._-]{1,253}))(?::[0-9]{1,5})?$/.exec(host) ?? [];
  return (bracketed ?? plain)?.toLowerCase();
}

/** Removes the brackets of an IPv6 address in a URL. */
function bare(name: string): string {
  return name.replace(/^\[(.*)\]$/, '$1');
}
