import type { Duplex } from 'node:stream';
import type { Answer } from '#core/exchange.ts';

// This is not an import, because an import of node:http also loads a WebSocket client (see `listener.ts`).
const { STATUS_CODES } = process.getBuiltinModule('node:http');

/** Time that a client has to read a refusal and close its connection. */
export const GRACE_MS = 5_000;

/**
 * Responds over a connection in place of the HTTP server, ends the connection, and destroys it within `graceMs`.
 * Reads and drops further bytes of the client. Closing with unread bytes would reset the connection, and the client could lose the
 * response.
 */
export function answerBare(connection: Duplex, { status, headers, body }: Answer, graceMs = GRACE_MS): void {
  if (connection.destroyed) return;
  const bytes = Buffer.from(body);
  const all = [...headers, 'date', new Date().toUTCString(), 'content-length', String(bytes.length), 'connection', 'close'];
  const lines: string[] = [];
  for (let i = 0; i < all.length; i += 2) lines.push(`${all[i]}: ${all[i + 1]}\r\n`);
  connection.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}\r\n${lines.join('')}\r\n`);
  connection.end(bytes);
  connection.resume();
  const timer = setTimeout(() => connection.destroy(), graceMs);
  connection.once('close', () => clearTimeout(timer));
}
