/**
 * Tells the story of the killed leader many times in a row and stops at the first fault:
 * `node e2e/processes/soak.ts --times 20` (after `npm run build`).
 */
import { readOptions, wholeNumber } from '../../scripts/lib/options.mjs';
import { leaderKilled } from './leader-killed.ts';

const { values } = readOptions({ options: { times: { type: 'string', default: '20' } } });
const times = wholeNumber('times', values.times);

let accepted = 0;
let final = 0;
for (let time = 1; time <= times; time++) {
  const begun = performance.now();
  const outcome = await leaderKilled();
  if (outcome.faults.length > 0) {
    console.error(`${time}: ${outcome.faults.join('\n')}`);
    process.exit(1);
  }
  accepted += outcome.accepted;
  final += outcome.final;
  const seconds = ((performance.now() - begun) / 1000).toFixed(1);
  console.log(
    `${time}/${times}: ${outcome.accepted} accepted, ${outcome.final} final, ${seconds} s`,
  );
}
console.log(`${times} times: ${accepted} accepted, ${final} final, 0 lost, 0 doubled, 0 reordered`);
