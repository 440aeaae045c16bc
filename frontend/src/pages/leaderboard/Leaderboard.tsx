import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { lazy, Suspense, useMemo, useState } from "react";
import { leaderboard } from "../../api/queries/board";
import type { Entry, Leaderboard as Page, Phase } from "../../api/types";
import { Await } from "../../ui/Await";
import { Button } from "../../ui/Button";
import { Row } from "../../ui/Card";
import { Choice, MomentField } from "../../ui/Field";
import { More } from "../../ui/More";
import { Section } from "../../ui/Page";
import { SuiteLegend } from "../../ui/Suite";
import { Empty, Loading } from "../../ui/states";
import { Term } from "../../ui/Term";
import { Moment } from "../../ui/Time";
import { useCatalogue } from "../../ui/useCatalogue";
import { axisOf, fittingScale } from "../../words/axis";
import { suiteColumns } from "../../words/board";
import { suiteTitle } from "../../words/catalogue";
import { may } from "../../words/roles";
import { fromLocalInput, runTime, zone } from "../../words/time";
import { usePhase, useRole } from "../competition/context";
import { PhaseChoice } from "../competition/PhaseChoice";
import { AboutFinal } from "../final/FinalFacts";
import { JointBoard } from "../final/JointBoard";
import { ShareBoard } from "../sharing/Share";
import { Board } from "./Board";
import styles from "./Leaderboard.module.css";

const Plane = lazy(() => import("./Plane"));
const Reliability = lazy(() => import("./Reliability"));

export function Leaderboard() {
  const phase = usePhase();
  const seesAll = may(useRole(), "reviewer");
  if (!phase) return <Empty title="No leaderboard yet">The leaderboard appears with the first phase.</Empty>;
  return (
    <>
      <PhaseChoice part="leaderboard" />
      {phase.sealed && !seesAll ? (
        <Empty title="This leaderboard is sealed">
          Entries are selected and run, and everybody sees how they did once the organiser publishes the
          final.
        </Empty>
      ) : (
        <>
          {phase.sealed && <p role="note">Sealed: only those who run the competition see this page.</p>}
          {phase.benchmark.accepted_unfit && (
            <p role="note">
              Lethe judged this benchmark unfit. The operator published it all the same, for this reason:{" "}
              {phase.benchmark.accepted_unfit}
            </p>
          )}
          {phase.final !== null && <JointBoard path={{ slug: phase.competition, phase: phase.slug }} />}
          <PhaseBoard key={phase.slug} phase={phase} />
        </>
      )}
      {phase.final !== null && <AboutFinal path={{ slug: phase.competition, phase: phase.final }} />}
    </>
  );
}

function PhaseBoard({ phase }: { phase: Phase }) {
  const [then, setThen] = useState("");
  const asOf = fromLocalInput(then);
  const query = useInfiniteQuery({
    ...leaderboard({ slug: phase.competition, phase: phase.slug }, asOf),
    placeholderData: keepPreviousData,
  });
  return (
    <>
      <details className={styles.then}>
        <summary>Show an earlier leaderboard</summary>
        <Row>
          <MomentField
            label={`Date and time (${zone()})`}
            value={then}
            onChange={(event) => setThen(event.target.value)}
          />
          <Button disabled={!then} onClick={() => setThen("")}>
            Show the current leaderboard
          </Button>
        </Row>
      </details>
      <Await query={query} what="the leaderboard">
        {({ pages }) => {
          const first = pages[0];
          const entries = pages.flatMap((page) => page.items);
          if (first?.behind && entries.length === 0) return <Loading what="the leaderboard" />;
          if (!first || entries.length === 0) return <NobodyYet asOf={asOf} />;
          return (
            <>
              <Summary of={first} loaded={entries.length} asOf={asOf} />
              <Entries loaded={entries} ofReader={first.own} ofPhase={phase.columns}>
                <More of={query} />
              </Entries>
              <Trust phase={phase} />
              <ShareBoard slug={phase.competition} phase={phase.slug} entries={entries} />
            </>
          );
        }}
      </Await>
    </>
  );
}

function NobodyYet({ asOf }: { asOf: string | undefined }) {
  if (asOf === undefined) {
    return <Empty title="No entries yet">The first scored submission becomes the first entry.</Empty>;
  }
  return (
    <Empty title="No entries at that time">
      The leaderboard was empty at <Moment at={asOf} />.
    </Empty>
  );
}

interface SummaryProps {
  of: Page;
  loaded: number;
  asOf: string | undefined;
}

function Summary({ of, loaded, asOf }: SummaryProps) {
  return (
    <p className={styles.summary}>
      {asOf && (
        <strong>
          Leaderboard of <Moment at={asOf} />:{" "}
        </strong>
      )}
      {of.total === 1 ? "1 entry" : `${of.total.toLocaleString("en")} entries`}, ranked by {of.metric}
      {of.as_of && (
        <>
          , last changed <Moment at={of.as_of} />
        </>
      )}
      {of.behind && ", and has changed since: the newer one appears in seconds"}.{" "}
      {loaded < of.total && `Showing the first ${loaded}. `}
      {of.own.map(({ entry, rank, submission_id }) =>
        rank === null ? null : (
          <span key={submission_id}>
            <strong>{entry}</strong> {asOf ? "had" : "has"} rank {rank}.{" "}
          </span>
        ),
      )}
      {of.retraining_s !== null &&
        `Costs are compared with the fastest full retraining on this board, ${runTime(of.retraining_s)} a run. `}
      Each row is an <Term of="entry">entry</Term>. Its bar is the 95% <Term of="interval">interval</Term> of
      its score: the range to expect if the same code were run again. A bracket joins entries that the paired
      test cannot tell apart, a <Term of="tie group">tie group</Term>.{" "}
      <Link to="/competitions/$slug/scoring" params={{ slug: of.competition }} search={{ phase: of.phase }}>
        How you are scored
      </Link>{" "}
      explains the numbers.{" "}
      <a href={tableOf(of)} download>
        Download it as CSV
      </a>
      .
    </p>
  );
}

/** Where the shown state is a table, also after it has changed. */
function tableOf({ competition, phase, as_of }: Page): string {
  const moment = as_of === null ? "" : `?as_of=${encodeURIComponent(as_of)}`;
  return `/api/competitions/${competition}/phases/${phase}/leaderboard.csv${moment}`;
}

interface EntriesProps {
  loaded: readonly Entry[];
  /** The reader's own rows, loaded or not. */
  ofReader: readonly Entry[];
  /** The secondary columns that the phase shows at first. */
  ofPhase: readonly string[];
  /** What follows the rows. */
  children: ReactNode;
}

function Entries({ loaded, ofReader, ofPhase, children }: EntriesProps) {
  const own = useMemo(() => new Set(ofReader.map((entry) => entry.submission_id)), [ofReader]);
  const pinned = useMemo(() => missingFrom(loaded, ofReader), [loaded, ofReader]);
  const entries = useMemo(() => [...pinned, ...loaded], [pinned, loaded]);
  const seesAll = may(useRole(), "reviewer");
  const [columns, setColumns] = useState(ofPhase.length > 0 ? "phase" : "parts");
  const scores = entries.map((entry) => entry.final_score);
  const [chosen, setScale] = useState("");
  const scale = chosen === "log" || chosen === "linear" ? chosen : fittingScale(scores);
  const axis = axisOf(
    scale,
    scores,
    entries.map((entry) => entry.ci_high),
  );
  const catalogue = useCatalogue();
  const ofSuites = suiteColumns(entries);
  const suites = [...ofSuites.keys()];
  const shownSuite = suites.find((suite) => columns === `suite:${suite}`);
  const metrics = [...new Set(entries.flatMap((entry) => Object.keys(entry.other_scores)))];
  const certified = entries.some((entry) => entry.certificate);
  return (
    <>
      <div className={styles.columns}>
        <Row>
          <Choice
            label="Columns"
            value={columns}
            onChange={(event) => setColumns(event.target.value)}
            options={[
              ...(ofPhase.length > 0 ? [{ value: "phase", label: "Columns of this phase" }] : []),
              { value: "parts", label: "Parts of the score" },
              { value: "intervals", label: "Intervals of the parts" },
              ...metrics.map((metric) => ({ value: `metric:${metric}`, label: `Score by ${metric}` })),
              ...suites.map((suite) => ({
                value: `suite:${suite}`,
                label: `Suite: ${suiteTitle(catalogue, suite)}`,
              })),
              ...(certified ? [{ value: "certificate", label: "Certificates" }] : []),
            ]}
          />
          <Choice
            label="Axis"
            value={scale}
            onChange={(event) => setScale(event.target.value)}
            options={[
              { value: "linear", label: "Linear" },
              { value: "log", label: "Logarithmic" },
            ]}
          />
        </Row>
      </div>
      <p className={styles.axis}>
        {scale === "log"
          ? `The axis is logarithmic above ${axis.evenBelow} and linear from 0 to ${axis.evenBelow}, with lines at `
          : "The axis is linear, with lines at "}
        {axis.ticks.join(", ")}. It ends at {axis.to}.
      </p>
      {shownSuite && <SuiteLegend suite={shownSuite} columns={ofSuites.get(shownSuite) ?? []} />}
      <Board
        entries={loaded}
        pinned={pinned}
        own={own}
        columns={columns}
        ofPhase={ofPhase}
        axis={axis}
        seesAll={seesAll}
      />
      {children}
      <Section title="Forgetting quality against utility">
        <Suspense fallback={<Loading what="the chart" />}>
          <Plane entries={entries} own={own} scale={scale} />
        </Suspense>
      </Section>
    </>
  );
}

/** How far the numbers can be trusted, once the reader asks. */
function Trust({ phase }: { phase: Phase }) {
  const [open, setOpen] = useState(false);
  const organises = may(useRole(), "organiser");
  return (
    <Section title="How far to trust these numbers">
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>Show how stable the order is, and what each number says if the truth is known</summary>
        {open && (
          <Suspense fallback={<Loading what="these figures" />}>
            <Reliability path={{ slug: phase.competition, phase: phase.slug }} organises={organises} />
          </Suspense>
        )}
      </details>
    </Section>
  );
}

function missingFrom(loaded: readonly Entry[], entries: readonly Entry[]): Entry[] {
  const found = new Set(loaded.map((entry) => entry.submission_id));
  return entries.filter((entry) => !found.has(entry.submission_id));
}
