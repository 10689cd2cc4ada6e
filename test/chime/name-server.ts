/** DNS server on loopback that has TXT records. It is closed after the tests of the file. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { after } from 'node:test';
import dnsPacket from 'dns-packet';

/** A running DNS server. */
export interface NameServer {
  /** Address for `BELFRY_DNS_SERVER`. */
  readonly address: string;
  /** TXT records by name: the strings of each record, or 'refuse' for an error. Other names do not exist. */
  readonly records: Map<string, readonly (readonly string[])[] | 'refuse'>;
}

export async function startNameServer(): Promise<NameServer> {
  const records: NameServer['records'] = new Map();
  const socket = createSocket('udp4');
  socket.on('message', (message, { port, address }) => {
    const { id, questions = [] } = dnsPacket.decode(message);
    const { name = '' } = questions[0] ?? {};
    const found = records.get(name);
    const code = found === 'refuse' ? 5 : found === undefined ? 3 : 0;
    const answers = (found === undefined || found === 'refuse' ? [] : found).map((data) => ({
      type: 'TXT' as const,
      name,
      ttl: 1,
      data: [...data],
    }));
    const flags = dnsPacket.RECURSION_DESIRED | dnsPacket.RECURSION_AVAILABLE | code;
    socket.send(dnsPacket.encode({ type: 'response', id: id as number, flags, questions, answers }), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  after(() => void socket.close());
  return { address: `127.0.0.1:${(socket.address() as AddressInfo).port}`, records };
}
