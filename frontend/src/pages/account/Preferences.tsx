import { useState } from "react";
import { answer, api } from "../../api/client";
import type { Me, Theme } from "../../api/types";
import { chooseTheme, THEMES } from "../../app/theme";
import { Button } from "../../ui/Button";
import { FormCard, Row } from "../../ui/Card";
import { Choice } from "../../ui/Field";
import { Notice } from "../../ui/states";
import { useOwn } from "./useOwn";

const ZONES = [
  { value: "", label: "As the browser has it" },
  ...Intl.supportedValuesOf("timeZone").map((zone) => ({ value: zone, label: zone })),
];

export function Preferences({ of: { preferences } }: { of: Me }) {
  const [zone, setZone] = useState(preferences.time_zone);
  const [theme, setTheme] = useState<Theme>(preferences.theme);
  const save = useOwn(async () => {
    await answer(api.PATCH("/api/me", { body: { time_zone: zone, theme } }));
    chooseTheme(theme);
  });
  return (
    <FormCard onSubmit={() => save.mutate()}>
      <Row>
        <Choice
          label="Time zone"
          value={zone}
          onChange={(event) => setZone(event.target.value)}
          options={ZONES}
        />
        <Choice
          label="Theme"
          value={theme}
          onChange={(event) =>
            setTheme(THEMES.find((one) => one === event.target.value) ?? preferences.theme)
          }
          options={THEMES.map((one) => ({ value: one, label: one }))}
        />
      </Row>
      <Notice error={save.error} />
      <Row>
        <Button type="submit" look="main" busy={save.isPending}>
          Save the preferences
        </Button>
        {save.isSuccess && <p role="status">Saved.</p>}
      </Row>
    </FormCard>
  );
}
