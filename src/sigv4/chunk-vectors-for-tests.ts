/** The two published examples of a body in signed chunks: 66,560 bytes `a`, in chunks of 65,536 and 1,024 bytes and an empty one. */

import type { ChunkSigning } from './chunk-signature.ts';
import { signingKeyBytes } from './signing-key.ts';

// Source: Amazon S3 API Reference, "Signature calculations for the authorization header", "multiple chunks" and "including trailing headers".
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const SCOPE = { date: '20130524', region: 'us-east-1', service: 's3' } as const;
const SIGNING = { key: signingKeyBytes(SECRET, SCOPE), amzDate: '20130524T000000Z', scope: '20130524/us-east-1/s3/aws4_request' } as const;

/** One example. `trailer` and `trailerSignature` are absent in the example without a trailer. */
export interface ChunkExample {
  readonly title: string;
  readonly signing: ChunkSigning;
  readonly chunks: readonly (readonly [size: number, signature: string])[];
  readonly trailer?: readonly [name: string, value: string];
  readonly trailerSignature?: string;
}

// biome-ignore format: a table
export const CHUNK_EXAMPLES: readonly ChunkExample[] = [
  {
    title: 'without a trailer',
    signing: { ...SIGNING, seed: '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9' },
    chunks: [
      [65_536, 'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648'],
      [1_024,  '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497'],
      [0,      'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9'],
    ],
  },
  {
    title: 'with a trailer',
    signing: { ...SIGNING, seed: '106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e' },
    chunks: [
      [65_536, 'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2'],
      [1_024,  '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7'],
      [0,      '2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992'],
    ],
    trailer: ['x-amz-checksum-crc32c', 'sOO8/Q=='],
    trailerSignature: 'd81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435',
  },
];
