import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { benchmarks } from "../../api/queries/installation";
import { Require } from "../../app/Require";
import { Await } from "../../ui/Await";
import { Page, Section } from "../../ui/Page";
import { Table } from "../../ui/Table";
import { Moment } from "../../ui/Time";
import { Upload } from "./Upload";
import { Uploads } from "./Uploads";

/** Benchmarks come in here, and are listed once they are published. */
export function Benchmarks() {
  return (
    <Page title="Benchmarks" lead="What phases evaluate on. Bring one that was built elsewhere.">
      <Require least="organiser">
        {() => (
          <>
            <Section title="Upload a benchmark">
              <p>
                The server checks every byte. Then an operator, or an organiser whom operators trust with it,
                publishes it.{" "}
                <Link to="/docs/$" params={{ _splat: "organiser" }} hash="bring-a-benchmark">
                  How to bring a benchmark
                </Link>
              </p>
              <Upload />
            </Section>
            <Section title="Uploads">
              <Uploads />
            </Section>
            <Section title="Published benchmarks">
              <Published />
            </Section>
          </>
        )}
      </Require>
    </Page>
  );
}

function Published() {
  return (
    <Await query={useQuery(benchmarks)} what="the benchmarks">
      {({ items }) =>
        items.length === 0 ? (
          <p>No benchmark is published yet.</p>
        ) : (
          <Table
            label="Published benchmarks"
            rows={items}
            keyOf={(one) => one.digest}
            columns={[
              { name: "name", kind: "heading", show: (one) => one.name },
              { name: "digest", show: (one) => <code>{one.digest.slice(0, 16)}</code> },
              { name: "published", show: (one) => <Moment at={one.created_at} /> },
            ]}
          />
        )
      }
    </Await>
  );
}
