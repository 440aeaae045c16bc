import { Button } from "./Button";
import styles from "./More.module.css";

interface Props {
  of: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => Promise<unknown> };
}

/** The way to a listing's next page, where there is one. */
export function More({ of }: Props) {
  if (!of.hasNextPage) return null;
  return (
    <p className={styles.more}>
      <Button busy={of.isFetchingNextPage} onClick={() => void of.fetchNextPage()}>
        Show more
      </Button>
    </p>
  );
}
