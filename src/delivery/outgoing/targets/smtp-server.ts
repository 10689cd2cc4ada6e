/** Address of the operator's SMTP server. */
import { isIP } from 'node:net';
import { isDomainName } from '#core/mail-address.ts';

export interface SmtpServer {
  readonly host: string;
  readonly port: number;
  /** TLS from the begin of the connection (`smtps`). Otherwise the client uses STARTTLS if `requiresTls`, and no TLS if not. */
  readonly secure: boolean;
  readonly requiresTls: boolean;
  readonly user?: string;
  readonly password?: string;
}

/** Source: RFC 6409 and RFC 8314: the ports of message submission. */
const PORTS = { 'smtp:': 587, 'smtps:': 465 } as const;
const URL_MAX = 2_048;

/**
 * Returns the server of a URL `smtp://USER:PASSWORD@HOST:PORT` or `smtps://…`; undefined if the URL is invalid. User name and password are
 * percent-encoded. Without a port: 587 for `smtp`, 465 for `smtps`.
 *
 * A connection to a loopback address does not need TLS. All others do, because they carry the password and the text of invitations. An internal
 * address is allowed, because the operator chose it.
 */
export function smtpServerOf(text: string): SmtpServer | undefined {
  const url = text.length <= URL_MAX ? URL.parse(text) : null;
  if (url === null || (url.protocol !== 'smtp:' && url.protocol !== 'smtps:')) return undefined;
  const { protocol, hostname, username, password, pathname, search, hash } = url;
  const host = hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if ((pathname !== '' && pathname !== '/') || `${search}${hash}` !== '' || (isIP(host) === 0 && !isDomainName(host))) return undefined;
  const [user, secret] = [decoded(username), decoded(password)];
  if (user === undefined || secret === undefined || (user === '') !== (secret === '')) return undefined;
  const isLoopback = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
  const secure = protocol === 'smtps:';
  return {
    host,
    port: url.port === '' ? PORTS[protocol] : Number(url.port),
    secure,
    requiresTls: !secure && !isLoopback,
    ...(user !== '' && { user, password: secret }),
  };
}

/** Returns a percent-encoded text without control characters; undefined if the encoding is invalid. */
function decoded(text: string): string | undefined {
  try {
    const plain = decodeURIComponent(text);
    return /\p{Cc}/u.test(plain) ? undefined : plain;
  } catch {
    return undefined;
  }
}
