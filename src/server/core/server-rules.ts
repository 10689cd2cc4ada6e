/**
 * Rules about the configuration of the server, which applies to all of its accounts. No call shows it, so the results have no evidence.
 * Callers of all accounts read the results, so an annotation names no host, file or address of the operator.
 */
import { counted } from '#core/counted.ts';
import type { ConfigurationRule } from '#services/kit/configuration-rule.ts';
import { accountResource, ruleResult } from '#services/kit/rule-results.ts';

const MIN_TLS_VERSION = 'TLSv1.2';

export const SERVER_RULES: readonly ConfigurationRule[] = [
  {
    name: 'server-tls-version-check',
    description: 'HTTPS connections need TLS 1.2 or later. Plain HTTP is only for this machine or trusted proxies.',
    parameters: { minTlsVersion: MIN_TLS_VERSION },
    requirements: ['COMP-6', 'INF-2'],
    async evaluate(reading) {
      const { tlsFloor } = reading.server;
      return [
        ruleResult(
          accountResource(reading),
          tlsFloor >= MIN_TLS_VERSION,
          `The oldest version of TLS that the server accepts is ${tlsFloor}.`,
        ),
      ];
    },
  },
  {
    name: 'server-records-every-read',
    description: 'The server refuses reads that the trail cannot record.',
    parameters: {},
    requirements: ['COMP-5', 'COMP-6', 'RES-6'],
    async evaluate(reading) {
      const { readsWithoutTrail } = reading.server;
      const annotation = readsWithoutTrail
        ? 'BELFRY_READS_WITHOUT_TRAIL is on: while the trail cannot be written, reads are answered without a record.'
        : 'BELFRY_READS_WITHOUT_TRAIL is off: while the trail cannot be written, the server refuses all requests.';
      return [ruleResult(accountResource(reading), !readsWithoutTrail, annotation)];
    },
  },
  {
    name: 'server-no-internal-hosts',
    description: 'The settings let the server connect to no host with an internal IP address for an account.',
    parameters: {},
    requirements: ['COMP-6', 'INF-8'],
    async evaluate(reading) {
      const { internalHosts } = reading.server;
      const annotation =
        internalHosts === 0
          ? 'The settings name no internal host.'
          : `The settings allow connections to ${counted(internalHosts, 'internal host')}.`;
      return [ruleResult(accountResource(reading), internalHosts === 0, annotation)];
    },
  },
];
