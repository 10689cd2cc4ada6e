/** Outbound host names of Voice Connectors: the ID and a suffix. */

/**
 * Default suffix. Source: AWS CLI reference, the example of create-voice-connector. Assumed: this server uses AWS's domain by default,
 * although it does not serve that domain.
 */
export const DEFAULT_HOST_SUFFIX = '.voiceconnector.chime.aws';

/** Returns the outbound host name of a Voice Connector. */
export function outboundHostName(id: string, suffix: string): string {
  return `${id}${suffix}`;
}

/** Returns the ID in the outbound host name of a Voice Connector. Undefined for other host names. */
export function connectorIdOfHost(host: string, suffix: string): string | undefined {
  return host.endsWith(suffix) ? host.slice(0, -suffix.length) : undefined;
}
