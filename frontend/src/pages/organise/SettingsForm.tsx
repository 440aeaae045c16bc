import { SETTINGS } from "virtual:settings";
import { useQuery } from "@tanstack/react-query";
import { benchmarks, environments } from "../../api/queries/installation";
import { Choice, Field, MomentField, Tick } from "../../ui/Field";
import { useCatalogue } from "../../ui/useCatalogue";
import { metricOptions } from "../../words/catalogue";
import { robustnessHint } from "../../words/robustness";
import { type Draft, GROUPS, hides, meaningOf, type Name, type SettingField } from "../../words/settings";
import { useCompetition } from "../competition/context";
import { ColumnsOfBoard } from "./ColumnsOfBoard";
import styles from "./Organise.module.css";

interface Props {
  draft: Draft;
  onChange: (draft: Draft) => void;
  /** Settings that stay as they are. */
  fixed?: readonly Name[];
}

interface Option {
  value: string;
  label: string;
}

/** Every setting of a phase with what it means, in groups. */
export function SettingsForm({ draft, onChange, fixed = [] }: Props) {
  const options = useOptions(draft);
  const { data } = useQuery(benchmarks);
  const costs = data?.items.find((one) => one.digest === draft.benchmark)?.robustness;
  return GROUPS.filter((group) => group.of !== "final" || draft.kind === "final").map((group) => (
    <fieldset key={group.title} className={styles.group}>
      <legend>{group.title}</legend>
      <div className={styles.settings}>
        {group.fields
          .filter(({ name }) => draft.entered_by !== "upload" || !OF_SEALED.has(name))
          .map((field) => (
            <Setting
              key={field.name}
              field={field}
              value={field.name === "data_hidden" ? hides(draft) : draft[field.name]}
              options={options[field.name] ?? []}
              disabled={fixed.includes(field.name)}
              hint={
                field.name === "robustness" && costs
                  ? robustnessHint(costs, Number(draft.seeds))
                  : meaningOf(field)
              }
              onChange={(value) => onChange({ ...draft, [field.name]: value })}
            />
          ))}
      </div>
    </fieldset>
  ));
}

const OF_SEALED: ReadonlySet<Name> = new Set(["selects", "draws_from", "further_benchmarks"]);
const REQUIRED: ReadonlySet<Name> = new Set(["slug", "kind", "benchmark", "opens_at", "closes_at"]);

interface SettingProps {
  field: SettingField;
  value: Draft[Name];
  options: readonly Option[];
  disabled: boolean;
  hint: string;
  onChange: (value: Draft[Name]) => void;
}

function Setting({ field: { name, label, kind }, value, options, disabled, hint, onChange }: SettingProps) {
  const { least, most, longest, usual } = SETTINGS[name] ?? {};
  if (kind === "tick") {
    return (
      <Tick
        label={label}
        hint={hint}
        disabled={disabled}
        checked={value === true}
        onChange={(event) => onChange(event.target.checked)}
      />
    );
  }
  if (kind === "choices") {
    return (
      <Choices
        label={label}
        hint={hint}
        options={options}
        disabled={disabled}
        chosen={Array.isArray(value) ? value : []}
        onChange={onChange}
      />
    );
  }
  if (kind === "columns") {
    return (
      <ColumnsOfBoard
        label={label}
        hint={hint}
        disabled={disabled}
        chosen={Array.isArray(value) ? value : []}
        onChange={onChange}
      />
    );
  }
  const bound = {
    label,
    hint,
    disabled,
    value: String(value ?? ""),
    required: REQUIRED.has(name) || (usual !== undefined && name !== "metric"),
    onChange: (event: { target: { value: string } }) => onChange(event.target.value),
  };
  switch (kind) {
    case "choice":
      return <Choice {...bound} options={options} />;
    case "moment":
      return <MomentField {...bound} />;
    case "count":
      return <Field {...bound} type="number" min={least} max={most} />;
    case "number":
    case "GiB":
      return <Field {...bound} type="number" step="any" min={0} max={kind === "GiB" ? 1024 : most} />;
    case "short name":
      return <Field {...bound} pattern="[a-z0-9]([a-z0-9\-]{0,61}[a-z0-9])?" />;
    case "text":
      return <Field {...bound} maxLength={longest} />;
  }
}

interface ChoicesProps {
  label: string;
  hint: string;
  options: readonly Option[];
  chosen: readonly string[];
  disabled: boolean;
  onChange: (chosen: string[]) => void;
}

/** Several of some options. */
function Choices({ label, hint, options, chosen, disabled, onChange }: ChoicesProps) {
  return (
    <fieldset className={styles.choices} disabled={disabled}>
      <legend>{label}</legend>
      <p>{hint}</p>
      {options.length === 0 && <p>There is nothing to choose.</p>}
      {options.map((one) => (
        <Tick
          key={one.value}
          label={one.label}
          checked={chosen.includes(one.value)}
          onChange={(event) =>
            onChange(
              event.target.checked ? [...chosen, one.value] : chosen.filter((other) => other !== one.value),
            )
          }
        />
      ))}
    </fieldset>
  );
}

/** What each choice offers. What is set already is offered too, even if the installation does not list it. */
function useOptions(draft: Draft): Partial<Record<Name, readonly Option[]>> {
  const { phases } = useCompetition();
  const catalogue = useCatalogue();
  const published = useQuery(benchmarks).data?.items ?? [];
  const known = useQuery(environments).data?.items ?? [];
  const ofBenchmarks = published.map(({ digest, title }) => ({
    value: digest,
    label: `${title} (${digest.slice(0, 8)})`,
  }));
  return {
    kind: ["check", "feedback", "final"].map(same),
    device: [
      { value: "cpu", label: "CPU" },
      { value: "gpu", label: "GPU" },
    ],
    benchmark: withChosen(
      [{ value: "", label: "Choose a benchmark" }, ...ofBenchmarks],
      draft.benchmark,
      (digest) => digest.slice(0, 8),
    ),
    metric: withChosen(
      [{ value: "", label: `The default (${catalogue.default_metric})` }, ...metricOptions(catalogue)],
      draft.metric,
    ),
    environment: withChosen(
      [{ value: "", label: "The workers' own" }, ...known.map(({ name }) => same(name))],
      draft.environment,
    ),
    entered_by: [
      { value: "", label: "Selection (the default)" },
      { value: "selection", label: "Selection: a sealed final" },
      { value: "upload", label: "Upload: as in other phases" },
    ],
    draws_from: phases.filter((one) => one.final === null).map(({ slug }) => same(slug)),
    further_benchmarks: ofBenchmarks.filter(({ value }) => value !== draft.benchmark),
  };
}

function same(value: string): Option {
  return { value, label: value };
}

function withChosen(options: Option[], chosen: Draft[Name], named = (value: string) => value): Option[] {
  if (typeof chosen !== "string" || options.some(({ value }) => value === chosen)) return options;
  return [...options, { value: chosen, label: named(chosen) }];
}
