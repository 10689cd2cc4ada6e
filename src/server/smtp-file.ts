/** File with the URL of the operator's SMTP server. */
import { readFileSync } from 'node:fs';
import { requirePrivate } from '#core/file-access.ts';
import { type SmtpServer, smtpServerOf } from '#delivery/outgoing/targets/smtp-server.ts';

/**
 * Reads the server from the file.
 *
 * @throws Error  the file cannot be read, other users can read it, or it does not contain one URL. The message does not quote the content
 */
export function readSmtpFile(path: string): SmtpServer {
  requirePrivate(path, 'secret');
  const server = smtpServerOf(readFileSync(path, 'utf8').trim());
  if (server === undefined)
    throw new Error(`'${path}' must contain one line 'smtp://USER:PASSWORD@HOST:PORT' or 'smtps://USER:PASSWORD@HOST:PORT'`);
  return server;
}
