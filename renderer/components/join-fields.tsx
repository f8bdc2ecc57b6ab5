/** Fields of joining: an invite link, which fills the rest, or a member's address and the group key. */
import { useEffect, useState } from 'react';
import type { InviteView, KnownGroup } from '../../shared/ipc/contract.ts';
import { useActions } from '../store/store-context.tsx';
import { listOf } from '../../shared/quorum-view.ts';
import { Field } from './field.tsx';
import type { FieldsProps } from './start-card.tsx';

type Reading =
  | { readonly kind: 'none' }
  | { readonly kind: 'read'; readonly invite: InviteView }
  | { readonly kind: 'refused'; readonly message: string };

/** The upper half of “Join a group”. */
export function JoinFields(props: FieldsProps & { readonly groups: readonly KnownGroup[] }) {
  const { form, change, errorAt, groups } = props;
  const reading = useInvite(form.invite.trim());
  const invited = reading.kind === 'read';
  const inviteError = reading.kind === 'refused' ? <span>{reading.message}</span> : undefined;
  return (
    <>
      <Field
        label="Invite link"
        mono
        value={form.invite}
        placeholder="lockstep://…"
        hint={
          invited ? describeInvite(reading.invite, groups) : 'Any member can copy one under Invite.'
        }
        error={errorAt('invite') ?? inviteError}
        onChange={(invite) => change({ invite })}
      />
      <p className="start-or" aria-hidden={invited}>
        {invited ? 'The link says the rest' : 'or, without a link'}
      </p>
      <div className="field-pair">
        <Field
          label="Seed address"
          mono
          value={invited ? reading.invite.seeds.join(', ') : form.seed}
          disabled={invited}
          placeholder="192.168.1.20:6001"
          hint={invited ? undefined : 'Any member’s host:port.'}
          error={invited ? undefined : errorAt('seed')}
          onChange={(seed) => change(isInvite(seed) ? { seed: '', invite: seed } : { seed })}
        />
        <Field
          label="Group key"
          mono
          value={invited ? '' : form.key}
          disabled={invited}
          placeholder={invited ? 'in the link' : ''}
          hint={invited ? undefined : 'Empty if this computer knows it.'}
          error={invited ? undefined : errorAt('key')}
          onChange={(key) => change({ key })}
        />
      </div>
    </>
  );
}

/** A link that was pasted where the address belongs. */
function isInvite(text: string): boolean {
  return /lockstep:\/\//i.test(text);
}

/** What the link in the field says; the newest answer wins. */
function useInvite(link: string): Reading {
  const { readInvite } = useActions();
  const [reading, setReading] = useState<Reading>({ kind: 'none' });
  useEffect(() => {
    let current = true;
    setReading({ kind: 'none' });
    if (link === '') return undefined;
    void readInvite({ link }).then((answer) => {
      if (!current) return;
      setReading(
        answer.ok
          ? { kind: 'read', invite: answer.value }
          : { kind: 'refused', message: answer.error.message },
      );
    });
    return () => {
      current = false;
    };
  }, [link, readInvite]);
  return reading;
}

function describeInvite(invite: InviteView, groups: readonly KnownGroup[]): string {
  const known = groups.find(({ group, diverged }) => group === invite.group && !diverged);
  if (known !== undefined) {
    return `You are in this group already, as ${known.name} (${known.id}): Join opens it.`;
  }
  return `Invite to group ${invite.group.slice(0, 8)}, reached at ${listOf(invite.seeds, 'or')}.`;
}
