import type { Duplex } from 'node:stream';
import type { Answer } from '#core/exchange.ts';

// Not imported, for the reason that stands in listener.ts.
const { STATUS_CODES } = process.getBuiltinModule('node:http');

/** Answers over a connection that is no longer, or never became, Node's to answer on, and ends it. */
export function answerBare(connection: Duplex, { status, headers, body }: Answer): void {
  if (connection.destroyed) return;
  const bytes = Buffer.from(body);
  const all = [...headers, 'date', new Date().toUTCString(), 'content-length', String(bytes.length), 'connection', 'close'];
  const lines: string[] = [];
  for (let i = 0; i < all.length; i += 2) lines.push(`${all[i]}: ${all[i + 1]}\r\n`);
  connection.write(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Refused'}\r\n${lines.join('')}\r\n`);
  connection.end(bytes);
}
