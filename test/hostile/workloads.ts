import { arnAndTagVariants } from './arn-and-tag-variants.ts';
import { connectionAbuse } from './connection-abuse.ts';
import { damagedFolders } from './damaged-folders.ts';
import { eventFloods } from './event-floods.ts';
import { failedSignIns } from './failed-sign-ins.ts';
import { manyAlarms } from './many-alarms.ts';
import { samlDocuments } from './saml-documents.ts';
import { scimFloods } from './scim-floods.ts';
import { sipPeers } from './sip-peers.ts';
import { slowTransfers } from './slow-transfers.ts';
import { trailFloods } from './trail-floods.ts';
import { webhookFloods } from './webhook-floods.ts';
import type { Workload } from './workload.ts';
import { worstAnalyses } from './worst-analyses.ts';
import { worstPolicies } from './worst-policies.ts';
import { worstRecords } from './worst-records.ts';

/** All hostile workloads. `npm test` runs each for one second, `npm run hostile` for the time of its argument `--seconds`. */
export const WORKLOADS: readonly Workload[] = [
  arnAndTagVariants,
  connectionAbuse,
  damagedFolders,
  eventFloods,
  failedSignIns,
  manyAlarms,
  samlDocuments,
  scimFloods,
  sipPeers,
  slowTransfers,
  trailFloods,
  webhookFloods,
  worstAnalyses,
  worstPolicies,
  worstRecords,
];
