/** Host of a carrier that receives calls. The operator sets it. */
export interface SipGateway {
  /** DNS name or IPv4 address, in lower case. */
  readonly host: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp' | 'tls';
}
