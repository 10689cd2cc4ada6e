/** Lists of objects. */
import { get, put, type S3Case } from './case.ts';

// biome-ignore format: a table
export const LIST_CASES: readonly S3Case[] = [
  {          title: 'PUT list/a 1',                     source: 'A', request: put('/logs/list/a%201', 'x'), status: 200 },
  {          title: 'PUT list/b/c',                     source: 'A', request: put('/logs/list/b/c', 'x'), status: 200 },
  {          title: 'PUT list/d',                       source: 'A', request: put('/logs/list/d', 'x'), status: 200 },
  { row: 54, title: 'list v1, truncated',               source: 'R', request: get('/logs?max-keys=1&prefix=list%2F'), status: 200, elements: { IsTruncated: 'true', MaxKeys: '1', Name: 'logs', Key: 'list/a 1', NextMarker: undefined } },
  { row: 54, title: 'list v1, truncated, delimiter',    source: 'R', request: get('/logs?max-keys=2&prefix=list%2F&delimiter=%2F'), status: 200, elements: { IsTruncated: 'true', NextMarker: 'list/b/' } },
  { row: 54, title: 'list v1, after a marker',          source: 'R', request: get('/logs?prefix=list%2F&delimiter=%2F&marker=list%2Fb%2F'), status: 200, elements: { IsTruncated: 'false', Key: 'list/d', NextMarker: undefined } },
  { row: 55, title: 'list v2, prefixes count as keys',  source: 'R', request: get('/logs?list-type=2&prefix=list%2F&delimiter=%2F'), status: 200, elements: { KeyCount: '3', IsTruncated: 'false', NextContinuationToken: undefined } },
  { row: 55, title: 'list v2, truncated',               source: 'R', request: get('/logs?list-type=2&max-keys=2&prefix=list%2F&delimiter=%2F'), status: 200, elements: { KeyCount: '2', IsTruncated: 'true' }, contains: '<NextContinuationToken>' },
  { row: 56, title: 'encoding-type=x',                  source: 'R', request: get('/logs?list-type=2&encoding-type=x'), status: 400, code: 'InvalidArgument', elements: { ArgumentName: 'encoding-type', ArgumentValue: 'x' } },
  { row: 56, title: 'encoding-type=url, key',           source: 'R', request: get('/logs?list-type=2&prefix=%2Flead&encoding-type=url'), status: 200, elements: { Key: '/lead//a%3Fb%23c/d', EncodingType: 'url' } },
  { row: 56, title: 'encoding-type=url, delimiter',     source: 'R', request: get('/logs?prefix=list%2F&delimiter=%20&encoding-type=url'), status: 200, contains: '<CommonPrefixes><Prefix>list/a+</Prefix></CommonPrefixes>' },
];
