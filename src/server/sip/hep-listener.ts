import { createSocket } from 'node:dgram';
import { isIP } from 'node:net';
import type { Address } from '../setting-types.ts';
import { type HepMessage, parseHep } from './hep-packet.ts';

/** Open listener. */
export interface OpenListener {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Listens for SIP messages that the proxy mirrors. Drops malformed datagrams. Every program of this machine can send datagrams, so the
 * receiver writes only messages of calls that the server has decided about.
 *
 * @throws Error  the address cannot be used
 */
export async function listenForHep({ host, port }: Address, receive: (message: HepMessage) => void): Promise<OpenListener> {
  const socket = createSocket({ type: isIP(host) === 6 ? 'udp6' : 'udp4' });
  socket.on('message', (packet) => {
    const message = parseHep(packet);
    if (message !== undefined) receive(message);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, host, () => {
      socket.off('error', reject);
      resolve();
    });
  });
  socket.on('error', () => undefined);
  return {
    port: socket.address().port,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  };
}
