/** Fields of both ways: name and peer id, and under Advanced where to listen. */
import { ChevronDown, ChevronRight } from 'lucide-react';
import { useEffect, useId, useState } from 'react';
import { Field } from './field.tsx';
import type { FieldsProps } from './start-card.tsx';

/** The lower half of the first card. */
export function IdentityFields({ form, change, errorAt }: FieldsProps) {
  const panel = useId();
  const [open, setOpen] = useState(false);
  const hostError = errorAt('host');
  const portError = errorAt('port');
  const hasError = hostError !== undefined || portError !== undefined;
  // An error must be where it can be seen.
  useEffect(() => {
    if (hasError) setOpen(true);
  }, [hasError]);
  const shown = open || hasError;
  return (
    <>
      <div className="field-pair">
        <Field
          label="Your name"
          value={form.name}
          hint="Shown beside your messages."
          error={errorAt('name')}
          onChange={(name) => change({ name })}
        />
        <Field
          label="Peer id"
          numeric
          mono
          value={form.id}
          hint="Unique; a higher id leads."
          error={errorAt('id')}
          onChange={(id) => change({ id })}
        />
      </div>
      <button
        type="button"
        className="start-advanced"
        aria-expanded={shown}
        aria-controls={panel}
        onClick={() => setOpen(!shown)}
      >
        {shown ? <ChevronDown size={16} aria-hidden /> : <ChevronRight size={16} aria-hidden />}
        Advanced
      </button>
      <div className="field-pair" id={panel} hidden={!shown}>
        <Field
          label="Listen host"
          mono
          value={form.host}
          hint="0.0.0.0 listens on all interfaces."
          error={hostError}
          onChange={(host) => change({ host })}
        />
        <Field
          label="Listen port"
          numeric
          mono
          value={form.port}
          hint="0 picks a free one."
          error={portError}
          onChange={(port) => change({ port })}
        />
      </div>
    </>
  );
}
