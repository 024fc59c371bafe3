"""Commands about etcd: its snapshots, taken and put back."""
