/** A person's initials in a circle, with how they answer as a dot; decoration beside the name. */
import type { Person } from '../store/selectors.ts';

export function Avatar(props: {
  readonly name: string;
  readonly isSelf: boolean;
  readonly presence?: Person['presence'];
}) {
  return (
    <span className="avatar" data-self={props.isSelf} aria-hidden>
      {initialsOf(props.name)}
      {props.presence !== undefined && (
        <span className="avatar-dot" data-presence={props.presence} />
      )}
    </span>
  );
}

/** First letters of the first two words; whole characters, also outside the basic plane. */
export function initialsOf(name: string): string {
  const words = name.split(/[\s_.-]+/u).filter((word) => word !== '');
  return words
    .slice(0, 2)
    .map((word) => Array.from(word)[0] ?? '')
    .join('')
    .toLocaleUpperCase();
}
