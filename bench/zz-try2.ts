import { decide, linkStack, compilePolicy } from '#policy/engine.ts';
import { policyOf, requestOf, type Genome } from '../test/hostile/worst-policies-search.ts';
const base: Genome = {"effect":"Deny","element":"Condition","operator":"ForAnyValue:StringLike","key":"aws:TagKeys","pattern":[{"text":"*","times":1},{"text":":","times":60},{"text":":","times":30},{"text":"ab*","times":1}],"perStatement":1000,"value":[{"text":":","times":5}],"valueEnd":"ba","otherValue":[{"text":":","times":5}],"otherLength":16};
const rows: [string, Genome][] = [['tagkeys long', base], ['tagkeys short', { ...base, pattern: [{text:'*a?a?bc*',times:1}], value: [{text:'a',times:1}], valueEnd: 'cb' }],
['ua', { ...base, operator: 'StringLike', key: 'aws:UserAgent', pattern: [{text:'*a?a?abc*',times:1}], value: [{text:'a',times:1}], valueEnd: 'cab' }],
['ua long', { ...base, operator: 'StringLike', key: 'aws:UserAgent', pattern: [{text:'*'+'a'.repeat(500)+'bc*',times:1}], value: [{text:'a',times:1}], valueEnd: 'cb' }],
['ua ref', { ...base, operator: 'StringLike', key: 'aws:UserAgent', pattern: [{text:'*${aws:Referer}?bc*',times:1}], value: [{text:'a',times:1}], valueEnd: 'cb', otherValue: [{text:'a',times:1}], otherLength: 512 }],
];
for (const [name, genome] of rows) {
  const { action, resource, context } = requestOf(genome);
  const text = policyOf(genome, 6144);
  const stack = linkStack({ identity: Array.from({length:10}, (_, i) => ({ policyId: 'p'+i, policy: compilePolicy(text) })) });
  const go = () => { const b = {stepsLeft: 1e15}; decide(stack, { action, resources: [resource], context }, b); return 1e15 - b.stepsLeft; };
  let steps = go(); const times = [];
  for (let i = 0; i < 80; i++) { const t = performance.now(); go(); times.push(performance.now() - t); }
  times.sort((a,b)=>a-b);
  console.log(name, steps, 'ms best', times[0]!.toFixed(2), 'median', times[40]!.toFixed(2), 'ns/step', (times[0]!*1e6/steps).toFixed(2));
}
