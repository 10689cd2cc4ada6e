/** Packets of HEPv3, with which the SIP proxy mirrors its messages. Source: "HEP3/EEP Network Protocol Specification", rev. 12. */

/** SIP message in a packet. */
export interface HepMessage {
  /** Time of the capture in milliseconds since 1970. */
  readonly at: number;
  readonly text: string;
}

const MAGIC = 0x48455033;
const HEADER_BYTES = 6;
const CHUNKS_MAX = 64;
const TYPE = { seconds: 0x0009, microseconds: 0x000a, protocol: 0x000b, payload: 0x000f };
const SIP = 1;

/**
 * Returns the SIP message in a packet. Returns undefined if the packet is malformed, has another protocol or more than 64 chunks, or has a
 * chunk twice. Bytes that are not UTF-8 are replaced.
 */
export function parseHep(packet: Buffer): HepMessage | undefined {
  if (packet.length < HEADER_BYTES || packet.readUInt32BE(0) !== MAGIC || packet.readUInt16BE(4) !== packet.length) return undefined;
  const chunks = new Map<number, Buffer>();
  for (let at = HEADER_BYTES; at < packet.length; ) {
    if (chunks.size >= CHUNKS_MAX || packet.length - at < HEADER_BYTES) return undefined;
    const vendor = packet.readUInt16BE(at);
    const type = packet.readUInt16BE(at + 2);
    const length = packet.readUInt16BE(at + 4);
    if (length < HEADER_BYTES || length > packet.length - at) return undefined;
    const key = vendor * 0x10000 + type;
    if (chunks.has(key)) return undefined;
    chunks.set(key, packet.subarray(at + HEADER_BYTES, at + length));
    at += length;
  }
  const [seconds, microseconds, protocol, payload] = [TYPE.seconds, TYPE.microseconds, TYPE.protocol, TYPE.payload].map((type) =>
    chunks.get(type),
  );
  if (seconds?.length !== 4 || microseconds?.length !== 4 || protocol?.length !== 1 || protocol[0] !== SIP) return undefined;
  if (payload === undefined || payload.length === 0) return undefined;
  const at = seconds.readUInt32BE(0) * 1000 + Math.floor(microseconds.readUInt32BE(0) / 1000);
  return { at, text: payload.toString('utf8') };
}
