/**
 * What the app does before anybody has touched it: what the command line asks for, else the group that
 * was open last, else the first card. A command line that names a peer the folder already is resumes
 * it, so that the same command can be given every time.
 */
import type { FormError } from '../../shared/ipc/contract.ts';
import type { Result } from '../../shared/result.ts';
import { actsByItself, type CommandLine } from './command-line.ts';
import type { Groups } from './groups.ts';
import type { Session } from './session.ts';
import { startView, type Prefill } from './start-view.ts';

/** What the form proposes because the command line said so. */
export function prefillFrom(line: CommandLine): Prefill {
  return {
    ...(line.id === null ? {} : { id: line.id }),
    ...(line.name === null ? {} : { name: line.name }),
    ...(line.host === null ? {} : { host: line.host }),
    ...(line.port === null ? {} : { port: line.port }),
    ...(line.link === null ? {} : { invite: line.link }),
  };
}

/** Takes the first step; afterwards the session's phase says what the window shows. */
export async function takeFirstStep(
  session: Session,
  groups: Groups,
  line: CommandLine,
): Promise<void> {
  const [problem] = line.problems;
  if (problem !== undefined) {
    await session.backToStart({ field: null, code: 'BAD_OPTION', message: problem });
    return;
  }
  // The session itself shows the card with the reason when a group does not open.
  if ((await act(session, groups, line)) === null) await session.backToStart();
}

/** Null when there is nothing to do without a person. */
async function act(
  session: Session,
  groups: Groups,
  line: CommandLine,
): Promise<Result<null, FormError> | null> {
  const last = groups.groups()[0];
  const isLast = last !== undefined && (line.id === null || line.id === last.id);
  // One that has stopped waits to be asked for: what its user needs then is the card.
  const opens = isLast && (!last.diverged || actsByItself(line));
  if (opens && line.link === null) {
    const { id: _own, invite: _offered, ...asked } = prefillFrom(line);
    return session.openKnown(last, { ...asked, seeds: line.seeds });
  }
  if (!actsByItself(line)) return null;
  const { proposed } = await startView(groups.groups(), prefillFrom(line), '');
  if (line.startGroup) return session.startGroup(proposed);
  return session.join(proposed, { seeds: line.seeds, invite: line.invite, key: null });
}
