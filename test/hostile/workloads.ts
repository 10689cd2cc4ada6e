import { arnAndTagVariants } from './arn-and-tag-variants.ts';
import { connectionAbuse } from './connection-abuse.ts';
import { damagedFolders } from './damaged-folders.ts';
import { failedSignIns } from './failed-sign-ins.ts';
import { samlDocuments } from './saml-documents.ts';
import { trailFloods } from './trail-floods.ts';
import type { Workload } from './workload.ts';
import { worstAnalyses } from './worst-analyses.ts';
import { worstPolicies } from './worst-policies.ts';

/** All hostile workloads. `npm test` runs each for one second, `npm run hostile` for the time of its argument `--seconds`. */
export const WORKLOADS: readonly Workload[] = [
  arnAndTagVariants,
  connectionAbuse,
  damagedFolders,
  failedSignIns,
  samlDocuments,
  trailFloods,
  worstAnalyses,
  worstPolicies,
];
